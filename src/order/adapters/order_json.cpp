#include "order/adapters/order_json.hpp"

#include <fmt/format.h>

#include "platform/http/entity_tag.hpp"
#include "platform/json/writer.hpp"

namespace trackops::order::adapters {
namespace {

void write_optional(json::Writer& out, std::string_view name,
                    const std::optional<std::string>& value) {
    if (value) out.member(name, *value);
}
void write_optional(json::Writer& out, std::string_view name, const std::optional<Instant>& value) {
    if (value) out.member(name, *value);
}

void write_step(json::Writer& out, const domain::SagaStep& step) {
    out.begin_object()
        .member("name", step.name)
        .member("status", name_of(step.status))
        .member("attempts", step.attempts);
    write_optional(out, "startedAt", step.started_at);
    write_optional(out, "finishedAt", step.finished_at);
    write_optional(out, "lastError", step.last_error);
    out.end_object();
}

void write_shipment(json::Writer& out, const std::optional<domain::Shipment>& shipment) {
    if (!shipment) return;
    out.name("shipment").begin_object();
    write_optional(out, "carrier", shipment->carrier);
    write_optional(out, "trackingNumber", shipment->tracking_number);
    out.end_object();
}

}  // namespace

void write_address_members(json::Writer& out, const domain::Address& address) {
    write_optional(out, "recipient", address.recipient);
    out.member("line1", address.line1);
    write_optional(out, "line2", address.line2);
    out.member("city", address.city);
    write_optional(out, "region", address.region);
    if (!address.postal_code.empty()) out.member("postalCode", address.postal_code);
    out.member("country", address.country);
    write_optional(out, "phone", address.phone);
}

void write_address(json::Writer& out, const domain::Address& address) {
    out.begin_object();
    write_address_members(out, address);
    out.end_object();
}

void write_shortages(json::Writer& out, const std::vector<domain::Shortage>& shortages) {
    out.begin_array();
    for (const domain::Shortage& shortage : shortages) {
        out.begin_object()
            .member("sku", shortage.sku)
            .member("requested", shortage.requested)
            .member("available", shortage.available)
            .member("reason", shortage.reason)
            .end_object();
    }
    out.end_array();
}

void write_adjustments(json::Writer& out, const std::vector<domain::Adjustment>& adjustments) {
    out.begin_array();
    for (const domain::Adjustment& adjustment : adjustments) {
        out.begin_object()
            .member("kind",
                    domain::adjustment_kind_names.at(static_cast<std::size_t>(adjustment.kind)))
            .member("label", adjustment.label)
            .member("amount", adjustment.amount_minor)
            .end_object();
    }
    out.end_array();
}

void write_order(json::Writer& out, const domain::Order& order) {
    out.begin_object().member("id", order.id.uuid);
    write_optional(out, "externalRef", order.terms.external_ref);
    out.member("customerId", order.terms.customer.text)
        .member("status", name_of(order.status))
        .member("currency", order.terms.currency)
        .member("totalAmount", order.total_amount_minor());
    if (order.terms.shipping_amount_minor)
        out.member("shippingAmount", *order.terms.shipping_amount_minor);
    out.name("items").begin_array();
    for (const domain::Line& line : order.terms.items) {
        out.begin_object().member("sku", line.sku);
        write_optional(out, "name", line.name);
        out.member("quantity", line.quantity)
            .member("unitAmount", line.unit_amount_minor)
            .member("lineAmount", line.line_amount_minor());
        if (!line.is_tracked) out.member("tracked", false);
        out.end_object();
    }
    out.end_array();
    if (!order.terms.adjustments.empty())
        write_adjustments(out.name("adjustments"), order.terms.adjustments);
    out.name("shippingAddress");
    write_address(out, order.terms.shipping_address);
    write_optional(out, "deliveryInstructions", order.terms.delivery_instructions);
    if (order.terms.metadata) out.name("metadata").raw(*order.terms.metadata);
    write_optional(out, "cancelReason", order.cancel_reason);
    if (!order.cancel_details.empty())
        write_shortages(out.name("cancelDetails"), order.cancel_details);
    write_shipment(out, order.shipment);
    out.member("version", order.version)
        .member("createdAt", order.created_at)
        .member("updatedAt", order.updated_at)
        .end_object();
}

void write_order_summary(json::Writer& out, const domain::Order& order) {
    out.begin_object().member("id", order.id.uuid);
    write_optional(out, "externalRef", order.terms.external_ref);
    out.member("customerId", order.terms.customer.text)
        .member("status", name_of(order.status))
        .member("currency", order.terms.currency)
        .member("totalAmount", order.total_amount_minor())
        .member("lineCount", static_cast<std::int64_t>(order.terms.items.size()));
    write_optional(out, "cancelReason", order.cancel_reason);
    write_shipment(out, order.shipment);
    out.member("version", order.version)
        .member("createdAt", order.created_at)
        .member("updatedAt", order.updated_at)
        .end_object();
}

std::string order_json(const domain::Order& order) {
    std::string text;
    text.reserve(512 + order.terms.items.size() * 96);
    json::Writer out(text);
    write_order(out, order);
    return text;
}

std::string details_json(const domain::OrderDetails& details) {
    std::string text;
    json::Writer out(text);
    out.begin_object().name("shippingAddress");
    write_address(out, details.shipping_address);
    write_optional(out, "deliveryInstructions", details.delivery_instructions);
    write_optional(out, "externalRef", details.external_ref);
    if (details.metadata) out.name("metadata").raw(*details.metadata);
    write_shipment(out, details.shipment);
    out.end_object();
    return text;
}

std::string status_json(const domain::Order& order) {
    std::string text;
    json::Writer out(text);
    out.begin_object()
        .member("id", order.id.uuid)
        .member("status", name_of(order.status))
        .member("version", order.version)
        .member("updatedAt", order.updated_at);
    write_optional(out, "cancelReason", order.cancel_reason);
    out.end_object();
    return text;
}

void write_saga(json::Writer& out, const app::SagaOfOrder& entry) {
    const domain::Saga& saga = entry.saga;
    out.begin_object()
        .member("id", saga.id.uuid)
        .member("type", name_of(saga.type))
        .member("orderId", entry.order.uuid)
        .member("status", name_of(saga.status))
        .name("steps")
        .begin_array();
    for (const domain::SagaStep& step : saga.steps) write_step(out, step);
    out.end_array();
    write_optional(out, "deadlineAt", saga.deadline_at);
    out.member("startedAt", saga.started_at);
    write_optional(out, "finishedAt", saga.finished_at);
    out.end_object();
}

void write_history_entry(json::Writer& out, const app::HistoryEntry& entry) {
    out.begin_object().member("version", entry.version).member("type", entry.type);
    const bool is_status_change = entry.before != entry.after;  // the first one has none before
    if (is_status_change && entry.before) out.member("from", name_of(*entry.before));
    if (is_status_change) out.member("to", name_of(entry.after));
    out.member("at", entry.at).member("actor", entry.actor);
    if (!entry.reason.empty()) out.member("reason", entry.reason);
    if (!entry.changed.empty()) {
        out.name("changed").begin_array();
        for (const std::string& name : entry.changed) out.value(name);
        out.end_array();
    }
    if (!entry.cancel_details.empty())
        write_shortages(out.name("cancelDetails"), entry.cancel_details);
    out.member("correlationId", entry.correlation).member("cause", entry.causation);
    if (entry.event_id) out.member("eventId", *entry.event_id);
    out.end_object();
}

std::string etag_of(const domain::Order& order) { return http::entity_tag(order.version); }

std::string path_of(domain::OrderId id) { return "/api/orders/" + id.text(); }

RecordedResponse recorded_response(int status, const domain::Order& order) {
    return {status, order_json(order), status == 201 ? path_of(order.id) : "", etag_of(order)};
}

}  // namespace trackops::order::adapters
