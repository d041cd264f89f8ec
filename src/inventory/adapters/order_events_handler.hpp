// The handler of the order events on the bus.
#pragma once
#include <functional>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "inventory/app/ports.hpp"
#include "platform/bus/consumer.hpp"

namespace trackops::telemetry {
class Registry;
class Tracer;
}  // namespace trackops::telemetry

namespace trackops::inventory::adapters {

// The dependencies of the handler. All of them outlive it.
struct OrderEventsDependencies {
    app::ReservationStore& store;
    const Clock& clock;
    Ids& ids;
    telemetry::Registry& metrics;
    // Called after each batch that had a message about stock, so that the relay need not wait for
    // its next poll. The batch may have failed.
    std::function<void()> on_replies_committed;
    telemetry::Tracer* tracer = nullptr;  // takes the spans of the transactions; null: no spans
};
// Returns a handler that returns one disposition for each message. A message is a dead letter when
// it cannot be read, when the database refuses its data, or when the order's rules exclude it. It
// is retried later on any other error. Counts the dispositions in
// trackops_inventory_messages_total.
bus::Handler make_order_events_handler(OrderEventsDependencies dependencies);

}  // namespace trackops::inventory::adapters
