// The handler of inventory's replies, for the consumer group trackops-orders.
#pragma once
#include <functional>
#include <span>

#include "base/clock.hpp"
#include "order/app/ports.hpp"
#include "platform/bus/consumer.hpp"
#include "platform/telemetry/tracer.hpp"

namespace trackops::order::adapters {

// Returns a handler that applies each message to its order. A message is a dead letter when it
// cannot be decoded, has no id, or names an unknown order. It is retried later on any other error,
// such as a database that is away. The handler calls on_settled with the orders of the batch as
// they are saved. `tracer` takes a span of the saga step of each reply; null: no spans. The
// references and `tracer` outlive the handler.
bus::Handler make_inventory_events_handler(
    app::OrderStore& store, const Clock& clock, const domain::SagaTimeouts& timeouts,
    std::function<void(std::span<const domain::Order>)> on_settled,
    telemetry::Tracer* tracer = nullptr);

}  // namespace trackops::order::adapters
