#include "events/decode.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

#include "base/sku.hpp"
#include "platform/json/object_reader.hpp"
#include "platform/json/reader.hpp"

namespace trackops::events {
namespace {

using json::ObjectReader;
using json::Value;

constexpr std::size_t max_lines = 100'000;  // in one event; an order of a newer producer may grow
constexpr json::IntegerRule positive{.min = 1};
constexpr json::IntegerRule any_integer{.min = INT64_MIN};
constexpr json::TextRule word{.max_characters = 128};
constexpr json::TextRule any_text{.min_characters = 0, .max_characters = 4'096};

// Reads the fields of one event. A consumer uses the fields that it reads by `used`: their faults
// are collected. All other fields are for other readers: a newer producer may change what they
// hold, so `extra` ignores their faults. Unknown members are ignored, because nothing calls
// ObjectReader::finish().
struct EventReader {
    ObjectReader used;
    ObjectReader extra;
    std::vector<FieldError>& faults;
    std::vector<FieldError>& ignored;

    Uuid order_id() { return used.uuid("orderId"); }
    std::string needed(std::string_view name) { return used.text(name, word); }
    std::int64_t version() { return extra.integer("version", any_integer); }
    std::string text(std::string_view name) { return extra.text(name, any_text); }
    Instant instant(std::string_view name) {
        return Instant::parse(extra.text(name, any_text)).value_or(Instant{});
    }
    // Reads the lines as a field that is used.
    template <class Line, class Read>
    std::vector<Line> items(Read read) {
        std::vector<Line> lines;
        used.array("items", true, 0, max_lines, [&](Value value, const std::string& pointer) {
            ObjectReader line(value, pointer, faults);
            ObjectReader line_extra(value, pointer, ignored);
            lines.push_back(read(line, line_extra));
        });
        return lines;
    }
    template <class Line, class Read>
    std::vector<Line> extra_items(Read read, std::string_view name = "items") {
        std::vector<Line> lines;
        extra.array(name, false, 0, max_lines, [&](Value value, const std::string& pointer) {
            ObjectReader line(value, pointer, ignored);
            lines.push_back(read(line));
        });
        return lines;
    }
};

std::string read_sku(ObjectReader& line) {
    return line.text(
        "sku", {.max_characters = max_sku_bytes, .is_valid = is_sku, .expected = "must be a SKU"});
}
OrderLine read_order_line(ObjectReader& line, ObjectReader& extra) {
    return {read_sku(line), line.integer("quantity", positive),
            extra.integer("unitAmount", any_integer)};
}
StockLine read_stock_line(ObjectReader& line) {
    return {line.text("sku", any_text), line.integer("quantity", any_integer)};
}
Shortage read_shortage(ObjectReader& line) {
    return {line.text("sku", any_text), line.integer("requested", any_integer),
            line.integer("available", any_integer), line.text("reason", any_text)};
}

std::optional<Shipment> read_shipment(ObjectReader& in, std::vector<FieldError>& ignored) {
    const auto shipment = in.object("shipment", false);
    if (!shipment || !in.has("shipment")) return std::nullopt;
    ObjectReader fields(shipment, "/shipment", ignored);
    return Shipment{fields.maybe_text("carrier", any_text).value_or(""),
                    fields.maybe_text("trackingNumber", any_text).value_or("")};
}
std::optional<OrderSummary> read_summary(EventReader& in) {
    const auto summary = in.extra.object("order", false);
    if (!summary || !in.extra.has("order")) return std::nullopt;
    ObjectReader fields(summary, "/order", in.ignored);
    return OrderSummary{fields.uuid("id"),
                        fields.maybe_text("externalRef", any_text),
                        fields.text("customerId", any_text),
                        fields.text("status", any_text),
                        fields.integer("totalAmount", any_integer),
                        fields.text("currency", any_text),
                        read_shipment(fields, in.ignored)};
}

Event read_order_created(EventReader& in) {
    OrderCreated event;
    event.order_id = in.order_id();
    event.version = in.version();
    event.customer_id = in.text("customerId");
    event.currency = in.text("currency");
    event.total_amount_minor = in.extra.integer("totalAmount", any_integer);
    event.items = in.items<OrderLine>(read_order_line);
    event.created_at = in.instant("createdAt");
    event.order = read_summary(in);
    event.untracked_items = in.extra_items<OrderLine>(
        [](ObjectReader& line) { return read_order_line(line, line); }, "untrackedItems");
    return event;
}
Event read_order_status_updated(EventReader& in) {
    OrderStatusUpdated event;
    event.order_id = in.order_id();
    event.version = in.version();
    event.previous_status = in.text("previousStatus");
    event.new_status = in.needed("newStatus");
    event.reason = in.extra.maybe_text("reason", any_text);
    event.occurred_at = in.instant("occurredAt");
    event.shipment = read_shipment(in.extra, in.ignored);
    event.order = read_summary(in);
    return event;
}
Event read_order_delivered(EventReader& in) {
    const Uuid order = in.order_id();
    const std::int64_t version = in.version();
    const Instant delivered_at = in.instant("deliveredAt");
    return OrderDelivered{order, version, delivered_at, read_summary(in)};
}
Event read_order_cancelled(EventReader& in) {
    OrderCancelled event;
    event.order_id = in.order_id();
    event.version = in.version();
    event.reason = in.needed("reason");
    event.cancelled_by = in.text("cancelledBy");
    event.cancelled_at = in.instant("cancelledAt");
    event.cancel_details = in.extra_items<Shortage>(read_shortage, "cancelDetails");
    event.order = read_summary(in);
    return event;
}
Event read_order_updated(EventReader& in) {
    OrderUpdated event;
    event.order_id = in.order_id();
    event.version = in.version();
    in.extra.array("changed", false, 0, max_lines, [&event](Value name, const std::string&) {
        event.changed.emplace_back(name.text().value_or(""));
    });
    event.occurred_at = in.instant("occurredAt");
    event.order = read_summary(in);
    return event;
}
Event read_customer_erased(EventReader& in) { return CustomerErased{in.needed("customerId")}; }
Event read_inventory_reserved(EventReader& in) {
    InventoryReserved event;
    event.order_id = in.order_id();
    event.reservation_id = in.extra.uuid("reservationId");
    event.items = in.extra_items<StockLine>(read_stock_line);
    if (in.extra.has("expiresAt")) event.expires_at = in.instant("expiresAt");
    return event;
}
Event read_inventory_reservation_failed(EventReader& in) {
    InventoryReservationFailed event;
    event.order_id = in.order_id();
    event.reason = in.needed("reason");
    event.items = in.extra_items<Shortage>(read_shortage);
    return event;
}
Event read_inventory_released(EventReader& in) {
    InventoryReleased event;
    event.order_id = in.order_id();
    event.reservation_id = in.extra.uuid("reservationId");
    event.items = in.extra_items<StockLine>(read_stock_line);
    event.reason = in.text("reason");
    return event;
}

struct Codec {
    std::string_view type;
    Event (*read)(EventReader&);
};
constexpr auto codecs = std::to_array<Codec>({
    {OrderCreated::type, read_order_created},
    {OrderStatusUpdated::type, read_order_status_updated},
    {OrderDelivered::type, read_order_delivered},
    {OrderCancelled::type, read_order_cancelled},
    {OrderUpdated::type, read_order_updated},
    {CustomerErased::type, read_customer_erased},
    {InventoryReserved::type, read_inventory_reserved},
    {InventoryReservationFailed::type, read_inventory_reservation_failed},
    {InventoryReleased::type, read_inventory_released},
});
static_assert(codecs.size() == std::variant_size_v<Event>);

}  // namespace

Result<Event> decode(std::string_view type, std::string_view json) {
    const auto* const codec = std::ranges::find(codecs, type, &Codec::type);
    if (codec == codecs.end())
        return fail(Errc::not_found, fmt::format("no event is called {}", type));
    const json::Document document = TRY(json::Document::parse(json));
    std::vector<FieldError> faults;
    std::vector<FieldError> ignored;
    EventReader reading{
        {document.root(), "", faults}, {document.root(), "", ignored}, faults, ignored};
    Event event = codec->read(reading);
    if (!faults.empty())
        return fail(Errc::invalid, fmt::format("not a valid {}", type), std::move(faults));
    return event;
}

}  // namespace trackops::events
