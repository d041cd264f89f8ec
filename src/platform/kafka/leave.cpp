#include "platform/kafka/leave.hpp"

#include <chrono>
#include <memory>
#include <string>

#include <librdkafka/rdkafka.h>

#include "platform/kafka/client.hpp"
#include "platform/telemetry/log.hpp"

namespace trackops::bus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr Duration unsubscribe_wait_max = seconds(1);
constexpr Duration close_wait_max = seconds(2);  // for the broker's answer
constexpr Duration poll_wait = milliseconds(10);

bool is_member(rd_kafka_t* consumer) {
    char* const id = rd_kafka_memberid(consumer);
    const bool has_id = id != nullptr && *id != '\0';
    rd_kafka_mem_free(consumer, id);
    return has_id;
}

// librdkafka before 2.4 never ends a consumer that is closed while it waits to report an empty
// assignment. So this waits for the end of a rebalance; without a subscription no other one
// follows.
void unsubscribe(rd_kafka_t* consumer, const std::function<bool(Duration)>& poll) {
    const auto deadline = steady_clock::now() + unsubscribe_wait_max;
    for (bool is_in = true; is_in && steady_clock::now() < deadline;) {
        const bool has_more = poll(poll_wait);
        const bool may_be_assigned = is_member(consumer);
        if (may_be_assigned) rd_kafka_unsubscribe(consumer);
        is_in = has_more || may_be_assigned;
    }
}

}  // namespace

void leave_group(rd_kafka_s* consumer, const std::function<bool(Duration)>& poll,
                 std::string_view group) {
    unsubscribe(consumer, poll);
    const KafkaQueue closing(rd_kafka_queue_new(consumer));
    rd_kafka_error_t* const error = rd_kafka_consumer_close_queue(consumer, closing.get());
    if (error != nullptr) {
        telemetry::log(telemetry::Level::warn, "bus", "cannot leave the group",
                       {{"group", std::string(group)}, {"error", rd_kafka_error_string(error)}});
        rd_kafka_error_destroy(error);
        return;
    }
    const auto deadline = steady_clock::now() + close_wait_max;
    while (rd_kafka_consumer_closed(consumer) == 0 && steady_clock::now() < deadline) {
        const std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)> event(
            rd_kafka_queue_poll(closing.get(), kafka_ms(poll_wait)), &rd_kafka_event_destroy);
        // Only during the wait: a closed consumer would never answer.
        if (event && rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_REBALANCE)
            rd_kafka_assign(consumer, nullptr);
    }
}

}  // namespace trackops::bus
