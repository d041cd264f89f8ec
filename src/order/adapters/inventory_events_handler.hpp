// What inventory says on the bus, for the consumer group trackops-orders.
#pragma once
#include <functional>
#include <span>

#include "base/clock.hpp"
#include "order/app/ports.hpp"
#include "platform/bus/consumer.hpp"

namespace trackops::order::adapters {

// Dead letters: what cannot be decoded, has no id, or speaks of an order that is not here.
// RetryLater: while the database is away. on_settled: the orders of a batch as they are after it.
bus::Handler make_inventory_events_handler(
    app::OrderStore& store, const Clock& clock, const domain::SagaTimeouts& timeouts,
    std::function<void(std::span<const domain::Order>)> on_settled);

}  // namespace trackops::order::adapters
