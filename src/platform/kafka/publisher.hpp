// Publishes to Kafka through an idempotent producer of its own.
#pragma once
#include <memory>

#include "platform/kafka/target.hpp"

namespace trackops::bus {

// Connects with the first message. When publish() returns no message of the call is queued: each
// was reported or discarded together with its producer. A request in flight at that time may still
// reach the broker, as a late duplicate of a message that was `unavailable`.
std::unique_ptr<Publisher> make_kafka_publisher(const KafkaTarget& target,
                                                telemetry::Registry& metrics);

}  // namespace trackops::bus
