// Domain notices become events on the wire.
#pragma once
#include "order/domain/order_aggregate.hpp"
#include "platform/outbox/event.hpp"

namespace trackops::order::adapters {

// id: of the event; sequence: its place among the order's events, from 1.
outbox::Event to_event(const domain::Order& order, const domain::OrderEvent& notice, Uuid id,
                       std::int64_t sequence);

}  // namespace trackops::order::adapters
