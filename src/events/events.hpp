// The published language: one struct an event on the wire. Fields may be added, never renamed.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/instant.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"

namespace trackops::events {

struct OrderLine {
    std::string sku;
    std::int64_t quantity = 0;
    std::int64_t unit_amount_minor = 0;
    bool operator==(const OrderLine&) const = default;
};
struct StockLine {
    std::string sku;
    std::int64_t quantity = 0;
    bool operator==(const StockLine&) const = default;
};
struct Shortage {
    std::string sku;
    std::int64_t requested = 0;
    std::int64_t available = 0;
    std::string reason;  // INSUFFICIENT_STOCK, UNKNOWN_SKU
    bool operator==(const Shortage&) const = default;
};
struct Shipment {
    std::string carrier;
    std::string tracking_number;
    bool operator==(const Shipment&) const = default;
};

struct OrderCreated {
    static constexpr std::string_view type = "ORDER_CREATED";
    Uuid order_id;
    std::int64_t version = 0;
    Uuid customer_id;
    std::string currency;
    std::int64_t total_amount_minor = 0;
    std::vector<OrderLine> items;  // the same SKU may stand on several lines
    Instant created_at;
    bool operator==(const OrderCreated&) const = default;
};
struct OrderStatusUpdated {
    static constexpr std::string_view type = "ORDER_STATUS_UPDATED";
    Uuid order_id;
    std::int64_t version = 0;
    std::string previous_status;
    std::string new_status;  // CONFIRMED, PROCESSING, SHIPPED
    std::optional<std::string> reason;
    Instant occurred_at;
    std::optional<Shipment> shipment;
    bool operator==(const OrderStatusUpdated&) const = default;
};
struct OrderDelivered {
    static constexpr std::string_view type = "ORDER_DELIVERED";
    Uuid order_id;
    std::int64_t version = 0;
    Instant delivered_at;
    bool operator==(const OrderDelivered&) const = default;
};
struct OrderCancelled {
    static constexpr std::string_view type = "ORDER_CANCELLED";
    Uuid order_id;
    std::int64_t version = 0;
    std::string reason;
    std::string cancelled_by;
    Instant cancelled_at;
    bool operator==(const OrderCancelled&) const = default;
};
struct InventoryReserved {
    static constexpr std::string_view type = "INVENTORY_RESERVED";
    Uuid order_id;
    Uuid reservation_id;
    std::vector<StockLine> items;  // summed by SKU, sorted by it
    std::optional<Instant> expires_at;
    bool operator==(const InventoryReserved&) const = default;
};
struct InventoryReservationFailed {
    static constexpr std::string_view type = "INVENTORY_RESERVATION_FAILED";
    Uuid order_id;
    std::string reason;  // OUT_OF_STOCK; CANCELLED_FIRST; NOT_RESERVED (a shipment found no live
                         // reservation)
    std::vector<Shortage> items;
    bool operator==(const InventoryReservationFailed&) const = default;
};
struct InventoryReleased {
    static constexpr std::string_view type = "INVENTORY_RELEASED";
    Uuid order_id;
    Uuid reservation_id;
    std::vector<StockLine> items;  // none when nothing was held
    std::string reason;
    bool operator==(const InventoryReleased&) const = default;
};

using Event = std::variant<OrderCreated, OrderStatusUpdated, OrderDelivered, OrderCancelled,
                           InventoryReserved, InventoryReservationFailed, InventoryReleased>;

// The topics of order and of inventory, which are the types' names.
inline constexpr std::string_view order_topics[] = {OrderCreated::type, OrderStatusUpdated::type,
                                                    OrderDelivered::type, OrderCancelled::type};
inline constexpr std::string_view inventory_topics[] = {
    InventoryReserved::type, InventoryReservationFailed::type, InventoryReleased::type};

std::string_view type_of(const Event& event);
std::string encode(const Event& event);  // the JSON value of the message
// Errc::malformed or Errc::invalid with every fault named; Errc::not_found for a type that is not
// ours. Unknown fields are ignored: a producer may be newer than we are.
Result<Event> decode(std::string_view type, std::string_view json);

// What every event message carries beside its value (CloudEvents 1.0, Kafka binary mode).
struct Envelope {
    Uuid id;
    std::string type;
    std::int64_t sequence = 0;
    std::string correlation_id;
    std::string traceparent;
    std::string tracestate;
};

}  // namespace trackops::events
