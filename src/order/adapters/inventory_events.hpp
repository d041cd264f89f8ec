// What inventory says on the bus, for the consumer group trackops-orders.
#pragma once
#include <functional>
#include <span>

#include "base/clock.hpp"
#include "order/app/ports.hpp"
#include "platform/bus/consumer.hpp"

namespace trackops::order::adapters {

// Dead letters: what cannot be decoded, has no id, or speaks of an order that is not here. Again:
// while the database is away. on_settled: the orders of a batch as they are after it.
bus::Handler handle_inventory_events(
    app::OrderStore& store, const Clock& clock, const domain::Patience& patience,
    std::function<void(std::span<const domain::Order>)> on_settled);

}  // namespace trackops::order::adapters
