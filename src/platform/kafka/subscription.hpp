// A member of a Kafka consumer group.
#pragma once
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "platform/kafka/target.hpp"

namespace trackops::bus {

// The lag of the members of a group in this process.
using SharedLag = std::shared_ptr<std::atomic<std::int64_t>>;

// The destructor commits, leaves the group and waits for librdkafka to end. That takes
// milliseconds; when the broker does not answer, at most the session timeout plus ten seconds for
// an open commit, and never more than four seconds plus KafkaClient::end_wait_max.
std::unique_ptr<Subscription> make_kafka_subscription(const KafkaTarget& target,
                                                      std::string_view group,
                                                      std::span<const std::string> topics,
                                                      SharedLag lag, telemetry::Registry& metrics);

}  // namespace trackops::bus
