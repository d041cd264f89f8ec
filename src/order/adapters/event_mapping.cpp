#include "order/adapters/event_mapping.hpp"

#include <algorithm>
#include <array>
#include <variant>

#include "events/encode.hpp"
#include "events/events.hpp"

namespace trackops::order::adapters {
namespace {

using domain::PublicEvent;
using domain::RecordedEvent;

std::optional<events::Shipment> shipment_of(const domain::Shipment& shipment) {
    if (shipment == domain::Shipment{}) return std::nullopt;
    return events::Shipment{shipment.carrier.value_or(""), shipment.tracking_number.value_or("")};
}

// A later event of the same transaction may have changed the order: the entry has its state then.
events::OrderSummary summary_of(const domain::Order& order, const RecordedEvent& entry) {
    return {order.id.uuid,
            entry.external_ref,
            order.terms.customer.text,
            std::string(name_of(entry.after)),
            order.total_amount_minor(),
            order.terms.currency,
            shipment_of(entry.shipment)};
}

// A creation that is sent again has version 1, as the first time.
events::Event created(const domain::Order& order, const RecordedEvent& entry) {
    events::OrderCreated event{order.id.uuid,
                               1,
                               order.terms.customer.text,
                               order.terms.currency,
                               order.total_amount_minor(),
                               {},
                               order.created_at,
                               summary_of(order, entry)};
    event.items.reserve(order.terms.items.size());
    for (const domain::Line& line : order.terms.items)
        (line.is_tracked ? event.items : event.untracked_items)
            .push_back({line.sku, line.quantity, line.unit_amount_minor});
    return event;
}

events::Event status_updated(const domain::Order& order, const RecordedEvent& entry) {
    events::OrderStatusUpdated event{order.id.uuid,
                                     entry.version,
                                     std::string(name_of(entry.before)),
                                     std::string(name_of(entry.after)),
                                     {},
                                     entry.at,
                                     {},
                                     summary_of(order, entry)};
    if (std::holds_alternative<domain::OrderShipped>(entry.event))
        event.shipment = shipment_of(entry.shipment);
    return event;
}

events::Event delivered(const domain::Order& order, const RecordedEvent& entry) {
    return events::OrderDelivered{order.id.uuid, entry.version, entry.at, summary_of(order, entry)};
}

events::Event cancelled(const domain::Order& order, const RecordedEvent& entry) {
    if (const auto* again = std::get_if<domain::ReleaseRetried>(&entry.event)) {
        return events::OrderCancelled{order.id.uuid,       entry.version,
                                      again->reason,       again->cancelled_by,
                                      again->cancelled_at, summary_of(order, entry)};
    }
    const auto& event = std::get<domain::OrderCancelled>(entry.event);
    events::OrderCancelled cancelled{order.id.uuid, entry.version, event.reason,
                                     entry.actor,   entry.at,      summary_of(order, entry)};
    for (const domain::Shortage& one : event.details)
        cancelled.cancel_details.push_back({one.sku, one.requested, one.available, one.reason});
    return cancelled;
}

events::Event updated(const domain::Order& order, const RecordedEvent& entry) {
    const auto names = std::visit(
        [](const auto& event) -> std::vector<std::string_view> {
            if constexpr (requires { event.changed; }) return event.changed;
            return {};
        },
        entry.event);
    return events::OrderUpdated{order.id.uuid, entry.version,
                                std::vector<std::string>(names.begin(), names.end()), entry.at,
                                summary_of(order, entry)};
}

struct Maker {
    PublicEvent heard_as;
    events::Event (*make)(const domain::Order&, const RecordedEvent&);
};
constexpr auto makers = std::to_array<Maker>({
    {PublicEvent::order_created, created},
    {PublicEvent::order_status_updated, status_updated},
    {PublicEvent::order_delivered, delivered},
    {PublicEvent::order_cancelled, cancelled},
    {PublicEvent::order_updated, updated},
});
static_assert(std::ranges::all_of(domain::event_rules, [](const domain::EventRule& rule) {
    return rule.heard_as == PublicEvent::none ||
           std::ranges::count(makers, rule.heard_as, &Maker::heard_as) == 1;
}));

}  // namespace

outbox::Event to_event(const domain::Order& order, const RecordedEvent& entry, Uuid id,
                       std::int64_t sequence) {
    const auto* const maker =
        std::ranges::find(makers, rule_of(entry.event).heard_as, &Maker::heard_as);
    const events::Event event = maker->make(order, entry);
    return {id,
            std::string(events::type_of(event)),
            order.id.uuid,
            sequence,
            events::encode(event),
            entry.at,
            entry.trace.correlation_id,
            entry.trace.causation_id,
            entry.trace.traceparent,
            entry.trace.tracestate};
}

}  // namespace trackops::order::adapters
