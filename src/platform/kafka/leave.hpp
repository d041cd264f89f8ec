// How a Kafka consumer leaves its group.
#pragma once
#include <functional>
#include <string_view>

#include "base/instant.hpp"

struct rd_kafka_s;

namespace trackops::bus {

// Leaves the group, so that the other members need not wait for the end of this member's session.
// Takes at most three seconds and one call of `poll`. `poll` waits for events, serves rebalances
// and returns whether an event came. Afterwards the consumer is unusable.
void leave_group(rd_kafka_s* consumer, const std::function<bool(Duration)>& poll,
                 std::string_view group);

}  // namespace trackops::bus
