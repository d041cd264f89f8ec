#include "events/encode.hpp"

#include "platform/json/writer.hpp"

namespace trackops::events {
namespace {

using json::Writer;

void write(Writer& out, const OrderLine& line) {
    out.begin_object()
        .member("sku", line.sku)
        .member("quantity", line.quantity)
        .member("unitAmount", line.unit_amount_minor)
        .end_object();
}
void write(Writer& out, const StockLine& line) {
    out.begin_object().member("sku", line.sku).member("quantity", line.quantity).end_object();
}
void write(Writer& out, const Shortage& line) {
    out.begin_object()
        .member("sku", line.sku)
        .member("requested", line.requested)
        .member("available", line.available)
        .member("reason", line.reason)
        .end_object();
}

template <class Line>
void write_items(Writer& out, const std::vector<Line>& lines, std::string_view name = "items") {
    out.name(name).begin_array();
    for (const Line& line : lines) write(out, line);
    out.end_array();
}

// Members without a value are left out.
void write_summary(Writer& out, const std::optional<OrderSummary>& order) {
    if (!order) return;
    out.name("order").begin_object().member("id", order->id);
    if (order->external_ref) out.member("externalRef", *order->external_ref);
    out.member("customerId", order->customer_id)
        .member("status", order->status)
        .member("totalAmount", order->total_amount_minor)
        .member("currency", order->currency);
    if (order->shipment) {
        out.name("shipment").begin_object();
        if (!order->shipment->carrier.empty()) out.member("carrier", order->shipment->carrier);
        if (!order->shipment->tracking_number.empty())
            out.member("trackingNumber", order->shipment->tracking_number);
        out.end_object();
    }
    out.end_object();
}

void write(Writer& out, const OrderCreated& event) {
    out.member("version", event.version)
        .member("customerId", event.customer_id)
        .member("currency", event.currency)
        .member("totalAmount", event.total_amount_minor);
    write_items(out, event.items);
    if (!event.untracked_items.empty()) write_items(out, event.untracked_items, "untrackedItems");
    out.member("createdAt", event.created_at);
    write_summary(out, event.order);
}
void write(Writer& out, const OrderStatusUpdated& event) {
    out.member("version", event.version)
        .member("previousStatus", event.previous_status)
        .member("newStatus", event.new_status);
    if (event.reason) out.member("reason", *event.reason);
    out.member("occurredAt", event.occurred_at);
    if (event.shipment) {
        out.name("shipment")
            .begin_object()
            .member("carrier", event.shipment->carrier)
            .member("trackingNumber", event.shipment->tracking_number)
            .end_object();
    }
    write_summary(out, event.order);
}
void write(Writer& out, const OrderDelivered& event) {
    out.member("version", event.version).member("deliveredAt", event.delivered_at);
    write_summary(out, event.order);
}
void write(Writer& out, const OrderCancelled& event) {
    out.member("version", event.version)
        .member("reason", event.reason)
        .member("cancelledBy", event.cancelled_by)
        .member("cancelledAt", event.cancelled_at);
    if (!event.cancel_details.empty()) write_items(out, event.cancel_details, "cancelDetails");
    write_summary(out, event.order);
}
void write(Writer& out, const OrderUpdated& event) {
    out.member("version", event.version).name("changed").begin_array();
    for (const std::string& name : event.changed) out.value(name);
    out.end_array().member("occurredAt", event.occurred_at);
    write_summary(out, event.order);
}
void write(Writer& out, const CustomerErased& event) {
    out.member("customerId", event.customer_id);
}
void write(Writer& out, const InventoryReserved& event) {
    out.member("reservationId", event.reservation_id);
    write_items(out, event.items);
    if (event.expires_at) out.member("expiresAt", *event.expires_at);
}
void write(Writer& out, const InventoryReservationFailed& event) {
    out.member("reason", event.reason);
    write_items(out, event.items);
}
void write(Writer& out, const InventoryReleased& event) {
    out.member("reservationId", event.reservation_id);
    write_items(out, event.items);
    out.member("reason", event.reason);
}

}  // namespace

std::string_view type_of(const Event& event) {
    return std::visit([](const auto& e) { return e.type; }, event);
}

std::string encode(const Event& event) {
    std::string text;
    Writer out(text);
    std::visit(
        [&out](const auto& e) {
            out.begin_object();
            if constexpr (requires { e.order_id; }) out.member("orderId", e.order_id);
            write(out, e);
            out.end_object();
        },
        event);
    return text;
}

}  // namespace trackops::events
