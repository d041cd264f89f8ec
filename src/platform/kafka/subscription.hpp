// A member of a Kafka consumer group.
#pragma once
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "platform/kafka/target.hpp"

namespace trackops::bus {

// Messages that the members of a group in this process have not handled, in their partitions.
using SharedLag = std::shared_ptr<std::atomic<std::int64_t>>;

// Its destructor commits, leaves the group and waits for librdkafka to end: some milliseconds; with
// a broker that does not answer at most the session's timeout and ten seconds, for a commit under
// way; never more than four seconds and KafkaClient::end_wait_max.
std::unique_ptr<Subscription> make_kafka_subscription(const KafkaTarget& target,
                                                      std::string_view group,
                                                      std::span<const std::string> topics,
                                                      SharedLag lag, telemetry::Registry& metrics);

}  // namespace trackops::bus
