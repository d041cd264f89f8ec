// The bus handler: order messages in, one disposition each out.
#pragma once
#include <functional>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "inventory/app/ports.hpp"
#include "platform/bus/consumer.hpp"

namespace trackops::telemetry {
class Registry;
}

namespace trackops::inventory::adapters {

// What cannot be read becomes a dead letter; what the database cannot take now comes again.
// replied: called after each batch that was committed, so that the relay need not wait for its next
// poll. Everything referred to outlives the handler.
struct OrderEventsDependencies {
    app::ReservationStore& store;
    const Clock& clock;
    Ids& ids;
    telemetry::Registry& metrics;
    std::function<void()> on_replies_committed;
};
bus::Handler make_order_events_handler(OrderEventsDependencies dependencies);

}  // namespace trackops::inventory::adapters
