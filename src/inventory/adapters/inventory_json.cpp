#include "inventory/adapters/inventory_json.hpp"

#include <fmt/format.h>

#include "inventory/adapters/reservation_state_names.hpp"
#include "platform/http/entity_tag.hpp"

namespace trackops::inventory::adapters {

namespace {

template <class T>
void write_optional(json::Writer& out, std::string_view name, const std::optional<T>& value) {
    if (value) out.member(name, *value);
}

}  // namespace

void write_json(json::Writer& out, const domain::Item& item) {
    out.begin_object().member("sku", item.sku).member("name", item.name);
    write_optional(out, "description", item.description);
    write_optional(out, "category", item.category);
    if (item.price) {
        out.member("unitAmount", item.price->unit_amount_minor)
            .member("currency", item.price->currency);
    }
    out.member("onHand", item.stock.on_hand)
        .member("reserved", item.stock.reserved)
        .member("available", item.stock.available());
    write_optional(out, "lowStockThreshold", item.low_stock_threshold);
    out.member("version", item.version)
        .member("createdAt", item.created_at)
        .member("updatedAt", item.updated_at)
        .end_object();
}

void write_json(json::Writer& out, const domain::Reservation& reservation) {
    out.begin_object()
        .member("id", reservation.id.uuid)
        .member("orderId", reservation.order_id.uuid)
        .member("status", name_of(reservation.state))
        .name("items")
        .begin_array();
    for (const domain::Line& line : reservation.lines) {
        out.begin_object().member("sku", line.sku).member("quantity", line.quantity).end_object();
    }
    out.end_array()
        .member("createdAt", reservation.created_at)
        .member("updatedAt", reservation.updated_at)
        .end_object();
}

void write_json(json::Writer& out, const app::LedgerRow& row) {
    out.begin_object()
        .member("position", row.position)
        .member("sku", row.movement.sku)
        .member("delta", row.movement.delta)
        .member("onHandAfter", row.movement.on_hand_after)
        .member("reason", row.reason);
    if (row.order_id) out.member("orderId", row.order_id->uuid);
    out.member("createdAt", row.at).end_object();
}

std::string item_json(const domain::Item& item) {
    std::string text;
    json::Writer out(text);
    write_json(out, item);
    return text;
}

std::string etag_of(const domain::Item& item) { return http::entity_tag(item.version); }

std::string path_of_item(std::string_view sku) {
    // Of the characters of a SKU only these two must be encoded in a path.
    std::string path = "/api/inventory/items/";
    for (const char c : sku) {
        if (c == ' ') {
            path += "%20";
        } else if (c == '/') {
            path += "%2F";
        } else {
            path += c;
        }
    }
    return path;
}

}  // namespace trackops::inventory::adapters
