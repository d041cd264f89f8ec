#include "events/decode.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/money.hpp"
#include "base/sku.hpp"
#include "platform/json/object_reader.hpp"
#include "platform/json/reader.hpp"

namespace trackops::events {
namespace {

using json::ObjectReader;
using json::Value;

constexpr std::size_t max_lines = 2'000;  // in one event, as in one order
constexpr json::IntegerRule positive{.min = 1};
constexpr json::TextRule word{.max_characters = 128};

// Reads the fields of one event and collects every fault. Unknown members are ignored, because
// nothing calls ObjectReader::finish().
struct EventReader {
    ObjectReader fields;
    std::vector<FieldError>& faults;

    Uuid uuid(std::string_view name) { return fields.uuid(name); }
    std::int64_t version() { return fields.integer("version", positive); }
    std::string text(std::string_view name) { return fields.text(name, word); }
    Instant instant(std::string_view name) {
        const auto at = Instant::parse(fields.text(name, {.max_characters = 64}));
        if (!at && fields.has(name)) fields.fault(name, "must be an RFC 3339 time", "format");
        return at.value_or(Instant{});
    }
    template <class Line, class Read>
    std::vector<Line> items(Read read) {
        std::vector<Line> lines;
        fields.array("items", true, 0, max_lines, [&](Value value, const std::string& pointer) {
            ObjectReader line(value, pointer, faults);
            lines.push_back(read(line));
        });
        return lines;
    }
};

std::string read_sku(ObjectReader& line) {
    return line.text(
        "sku", {.max_characters = max_sku_bytes, .is_valid = is_sku, .expected = "must be a SKU"});
}
OrderLine read_order_line(ObjectReader& line) {
    return {read_sku(line), line.integer("quantity", positive),
            line.integer("unitAmount", {.max = max_amount_minor})};
}
StockLine read_stock_line(ObjectReader& line) {
    return {read_sku(line), line.integer("quantity", positive)};
}
Shortage read_shortage(ObjectReader& line) {
    return {read_sku(line), line.integer("requested", {}), line.integer("available", {}),
            line.text("reason", word)};
}

Event read_order_created(EventReader& in) {
    OrderCreated event;
    event.order_id = in.uuid("orderId");
    event.version = in.version();
    event.customer_id = in.uuid("customerId");
    event.currency = in.fields.text(
        "currency", {.is_valid = is_currency, .expected = "must be an ISO 4217 code"});
    event.total_amount_minor = in.fields.integer("totalAmount", {.max = max_amount_minor});
    event.items = in.items<OrderLine>(read_order_line);
    event.created_at = in.instant("createdAt");
    return event;
}
Event read_order_status_updated(EventReader& in) {
    OrderStatusUpdated event;
    event.order_id = in.uuid("orderId");
    event.version = in.version();
    event.previous_status = in.text("previousStatus");
    event.new_status = in.text("newStatus");
    event.reason = in.fields.maybe_text("reason", word);
    event.occurred_at = in.instant("occurredAt");
    if (const auto shipment = in.fields.object("shipment", false);
        shipment && in.fields.has("shipment")) {
        ObjectReader fields(shipment, "/shipment", in.faults);
        event.shipment = {fields.maybe_text("carrier", {.min_characters = 0}).value_or(""),
                          fields.maybe_text("trackingNumber", {.min_characters = 0}).value_or("")};
    }
    return event;
}
Event read_order_delivered(EventReader& in) {
    const Uuid order = in.uuid("orderId");
    const std::int64_t version = in.version();
    return OrderDelivered{order, version, in.instant("deliveredAt")};
}
Event read_order_cancelled(EventReader& in) {
    OrderCancelled event;
    event.order_id = in.uuid("orderId");
    event.version = in.version();
    event.reason = in.text("reason");
    event.cancelled_by = in.text("cancelledBy");
    event.cancelled_at = in.instant("cancelledAt");
    return event;
}
Event read_inventory_reserved(EventReader& in) {
    InventoryReserved event;
    event.order_id = in.uuid("orderId");
    event.reservation_id = in.uuid("reservationId");
    event.items = in.items<StockLine>(read_stock_line);
    if (in.fields.has("expiresAt")) event.expires_at = in.instant("expiresAt");
    return event;
}
Event read_inventory_reservation_failed(EventReader& in) {
    InventoryReservationFailed event;
    event.order_id = in.uuid("orderId");
    event.reason = in.text("reason");
    event.items = in.items<Shortage>(read_shortage);
    return event;
}
Event read_inventory_released(EventReader& in) {
    InventoryReleased event;
    event.order_id = in.uuid("orderId");
    event.reservation_id = in.uuid("reservationId");
    event.items = in.items<StockLine>(read_stock_line);
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
    EventReader reading{{document.root(), "", faults}, faults};
    Event event = codec->read(reading);
    if (!faults.empty())
        return fail(Errc::invalid, fmt::format("not a valid {}", type), std::move(faults));
    return event;
}

}  // namespace trackops::events
