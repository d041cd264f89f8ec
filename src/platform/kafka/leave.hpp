// How a Kafka consumer leaves its group.
#pragma once
#include <functional>
#include <string_view>

#include "base/instant.hpp"

struct rd_kafka_s;

namespace trackops::bus {

// So that the others need not wait for its session to end. Takes at most three seconds and one call
// of `poll`, which waits for something to come, serves rebalances, and says whether anything came.
// The consumer is of no use afterwards.
void leave_group(rd_kafka_s* consumer, const std::function<bool(Duration)>& poll,
                 std::string_view group);

}  // namespace trackops::bus
