#include "platform/kafka/bus.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include <librdkafka/rdkafka.h>

#include "platform/kafka/publisher.hpp"
#include "platform/kafka/subscription.hpp"
#include "platform/kafka/target.hpp"
#include "platform/kafka/topics.hpp"
#include "platform/telemetry/log.hpp"

namespace trackops::bus {
namespace {

// Older ones send a nonce that is too long, which brokers before Kafka 4 forgave (its pull request
// 4895).
constexpr int scram_version_min = 0x020601ff;

class KafkaBus final : public Bus {
public:
    KafkaBus(KafkaTarget target, telemetry::Registry& metrics)
        : target_(std::move(target)), metrics_(metrics), topics_(target_, metrics) {
        if (target_.options.partitions < 1) {
            throw std::invalid_argument("bus: a topic has at least one partition");
        }
        warn_of_old_scram();
    }

    void ensure_topics(std::span<const std::string> topics) override { topics_.ensure(topics); }
    std::unique_ptr<Publisher> publisher() override {
        return make_kafka_publisher(target_, metrics_);
    }
    std::unique_ptr<Subscription> subscribe(std::string_view group,
                                            std::span<const std::string> topics) override;
    void ping() override { topics_.ping(); }
    std::vector<TopicState> state(std::string_view group) override;

private:
    void warn_of_old_scram() const {
        const bool has_scram = std::ranges::any_of(target_.security, [](const auto& setting) {
            return setting.second.reveal().starts_with("SCRAM");
        });
        if (!has_scram || rd_kafka_version() >= scram_version_min) return;
        telemetry::log(telemetry::Level::warn, "bus",
                       "Kafka 4 refuses SCRAM from this librdkafka as invalid credentials; "
                       "sasl=PLAIN over TLS works with every version",
                       {{"librdkafka", rd_kafka_version_str()}});
    }

    // A group that had a member in this process.
    struct Group {
        std::set<std::string> topics;
        SharedLag lag = std::make_shared<std::atomic<std::int64_t>>(0);
    };

    const KafkaTarget target_;
    telemetry::Registry& metrics_;
    KafkaTopics topics_;
    std::mutex groups_mutex_;
    std::map<std::string, Group, std::less<>> groups_;
};

std::unique_ptr<Subscription> KafkaBus::subscribe(std::string_view group,
                                                  std::span<const std::string> topics) {
    if (group.empty()) throw std::invalid_argument("bus: a subscription needs the name of a group");
    SharedLag lag;
    {
        const std::scoped_lock lock(groups_mutex_);
        Group& known = groups_[std::string(group)];
        known.topics.insert(topics.begin(), topics.end());
        lag = known.lag;
    }
    return make_kafka_subscription(target_, group, topics, std::move(lag), metrics_);
}

std::vector<TopicState> KafkaBus::state(std::string_view group) {
    std::set<std::string> subscribed;
    {
        const std::scoped_lock lock(groups_mutex_);
        const auto known = groups_.find(group);
        if (known != groups_.end()) subscribed = known->second.topics;
    }
    return topics_.state(group, subscribed);
}

}  // namespace

std::unique_ptr<Bus> open_kafka(std::string_view url, const Options& options,
                                telemetry::Registry& metrics) {
    return std::make_unique<KafkaBus>(parse_kafka_url(url, options), metrics);
}

}  // namespace trackops::bus
