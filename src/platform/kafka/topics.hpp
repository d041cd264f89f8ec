// The topics of a Kafka broker: creates, checks and counts them.
#pragma once
#include <chrono>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/kafka/client.hpp"
#include "platform/kafka/target.hpp"

namespace trackops::bus {

// Topic names have no prefix here. Thread-safe. Every call ends within seconds and throws
// std::runtime_error when the broker does not answer.
class KafkaTopics {
public:
    KafkaTopics(const KafkaTarget& target, telemetry::Registry& metrics);

    void ensure(std::span<const std::string> topics);
    void ping();
    // `subscribed` names topics that belong to the group even without a commit.
    std::vector<TopicState> state(std::string_view group, const std::set<std::string>& subscribed);

private:
    using Deadline = std::chrono::steady_clock::time_point;
    struct Topic {
        std::string name;
        std::int32_t partitions = 0;
        bool is_ready = false;  // each partition has a leader
    };
    std::vector<Topic> list(Deadline deadline, std::string_view why);
    // Returns why topics cannot be created; nothing for a failure that may pass by itself.
    std::string create(std::span<const std::string> topics, Deadline deadline);
    void warn_of_few_partitions(const Topic& topic);
    // Returns the committed offsets of the group.
    KafkaPartitions committed(std::string_view group, Deadline deadline);
    KafkaPartitions offsets(std::span<const Topic> topics, std::int64_t at, Deadline deadline);

    const KafkaTarget target_;
    const KafkaClient client_;
    std::mutex warned_mutex_;
    std::set<std::string> warned_;
};

}  // namespace trackops::bus
