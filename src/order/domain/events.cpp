#include "order/domain/events.hpp"

namespace trackops::order::domain {
namespace {

void set(Order& order, const OrderPlaced&, Instant at) {
    order.created_at = order.updated_at = at;
    order.version = 0;  // apply() counts the creation
}
void set(Order& order, const OrderShipped& event, Instant) {
    if (event.shipment != Shipment{}) order.shipment = event.shipment;
}
void set(Order& order, const OrderCancelled& event, Instant) {
    order.cancel_reason = event.reason;
    order.cancel_details = event.details;
}
void set_terms(OrderTerms& terms, const OrderDetails& details) {
    terms.shipping_address = details.shipping_address;
    terms.delivery_instructions = details.delivery_instructions;
    terms.external_ref = details.external_ref;
    terms.metadata = details.metadata;
}
void set(Order& order, const OrderDetailsChanged& event, Instant) {
    set_terms(order.terms, event.details);
}
void set(Order& order, const PersonalDataErased& event, Instant) {
    set_terms(order.terms, event.details);
}
void set(Order& order, const ShipmentCorrected& event, Instant) { order.shipment = event.shipment; }
template <class Other>
void set(Order&, const Other&, Instant) {}

}  // namespace

void apply(Order& order, const Event& event, Instant at) {
    const EventRule& rule = rule_of(event);
    if (!rule.is_shown) return;
    std::visit([&](const auto& e) { set(order, e, at); }, event);
    order.status = rule.leads_to.value_or(order.status);
    ++order.version;
    order.updated_at = std::max(order.updated_at, at);
}

}  // namespace trackops::order::domain
