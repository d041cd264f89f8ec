// The topics of a Kafka broker: made, checked, counted.
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

// Names are without the prefix. Thread-safe. Every call ends within seconds; std::runtime_error
// when the broker does not answer.
class KafkaTopics {
public:
    KafkaTopics(const KafkaTarget& target, telemetry::Registry& metrics);

    void ensure(std::span<const std::string> topics);
    void ping();
    // `subscribed`: topics that count as the group's even if it has committed nothing of them.
    std::vector<TopicState> state(std::string_view group, const std::set<std::string>& subscribed);

private:
    using Deadline = std::chrono::steady_clock::time_point;
    struct Topic {
        std::string name;
        std::int32_t partitions = 0;
        bool is_ready = false;  // each partition has a leader
    };
    std::vector<Topic> list(Deadline deadline, std::string_view why);
    // Why not, of those that cannot be made; nothing for what may come right by itself.
    std::string create(std::span<const std::string> topics, Deadline deadline);
    void warn_of_few_partitions(const Topic& topic);
    // The next offset that the group has committed, of each partition that it has.
    KafkaPartitions committed(std::string_view group, Deadline deadline);
    KafkaPartitions offsets(std::span<const Topic> topics, std::int64_t at, Deadline deadline);

    const KafkaTarget target_;
    const KafkaClient client_;
    std::mutex warned_mutex_;
    std::set<std::string> warned_;
};

}  // namespace trackops::bus
