// Publishes to Kafka through an idempotent producer of its own.
#pragma once
#include <memory>

#include "platform/kafka/target.hpp"

namespace trackops::bus {

// Connects with the first message. When publish() returns, no message of it is queued any more:
// each was reported, or was dropped together with its producer. A request that was on its way then
// may still reach the broker: a late double of what was answered `unavailable`.
std::unique_ptr<Publisher> make_kafka_publisher(const KafkaTarget& target,
                                                telemetry::Registry& metrics);

}  // namespace trackops::bus
