// The mapping from domain events to the events on the wire.
#pragma once
#include "order/domain/order_aggregate.hpp"
#include "platform/outbox/event.hpp"

namespace trackops::order::adapters {

// Returns the outbox event, with the given event id, by which the world hears of an event of the
// order. `sequence` is the number of the event among the public events of the order, from 1. The
// event must not be one of PublicEvent::none.
outbox::Event to_event(const domain::Order& order, const domain::RecordedEvent& entry, Uuid id,
                       std::int64_t sequence);

}  // namespace trackops::order::adapters
