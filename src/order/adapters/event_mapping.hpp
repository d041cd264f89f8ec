// The mapping from domain events to the events on the wire.
#pragma once
#include "order/domain/order_aggregate.hpp"
#include "platform/outbox/event.hpp"

namespace trackops::order::adapters {

// Returns the outbox event with the given event id. `sequence` is the number of the event among the
// events of the order, from 1.
outbox::Event to_event(const domain::Order& order, const domain::OrderEvent& notice, Uuid id,
                       std::int64_t sequence);

}  // namespace trackops::order::adapters
