#include "order/adapters/event_mapping.hpp"

#include <array>

#include "events/encode.hpp"
#include "events/events.hpp"

namespace trackops::order::adapters {
namespace {

events::Event created(const domain::Order& order, const domain::StatusChange& change) {
    events::OrderCreated event{order.id.uuid,
                               change.version,
                               order.terms.customer.uuid,
                               order.terms.currency,
                               order.total_amount_minor(),
                               {},
                               order.created_at};
    event.items.reserve(order.terms.items.size());
    for (const domain::Line& line : order.terms.items)
        event.items.push_back({line.sku, line.quantity, line.unit_amount_minor});
    return event;
}

events::Event status_updated(const domain::Order& order, const domain::StatusChange& change) {
    events::OrderStatusUpdated event{
        order.id.uuid,
        change.version,
        std::string(name_of(change.from.value_or(domain::Status::pending))),
        std::string(name_of(change.to)),
        {},
        change.at,
        {}};
    if (change.to == domain::Status::shipped && order.shipment) {
        event.shipment = {order.shipment->carrier.value_or(""),
                          order.shipment->tracking_number.value_or("")};
    }
    return event;
}

events::Event delivered(const domain::Order& order, const domain::StatusChange& change) {
    return events::OrderDelivered{order.id.uuid, change.version, change.at};
}

events::Event cancelled(const domain::Order& order, const domain::StatusChange& change) {
    return events::OrderCancelled{order.id.uuid, change.version, change.reason, change.actor,
                                  change.at};
}

}  // namespace

outbox::Event to_event(const domain::Order& order, const domain::OrderEvent& notice, Uuid id,
                       std::int64_t sequence) {
    constexpr auto makers = std::to_array({created, status_updated, delivered, cancelled});
    static_assert(makers.size() == static_cast<std::size_t>(domain::OrderEventType::cancelled) + 1);
    const events::Event event =
        makers[static_cast<std::size_t>(notice.event_type)](order, notice.change);
    return {id,
            std::string(events::type_of(event)),
            order.id.uuid,
            sequence,
            events::encode(event),
            notice.emitted_at,
            notice.trace.correlation_id,
            notice.trace.causation_id,
            notice.trace.traceparent,
            notice.trace.tracestate};
}

}  // namespace trackops::order::adapters
