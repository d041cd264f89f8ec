// The published events: one struct for each event on the wire. Fields may be added, never renamed.
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
    std::string reason;  // INSUFFICIENT_STOCK or UNKNOWN_SKU
    bool operator==(const Shortage&) const = default;
};
struct Shipment {
    std::string carrier;
    std::string tracking_number;
    bool operator==(const Shipment&) const = default;
};

// An order as each of its events shows it, after what the event tells of.
struct OrderSummary {
    Uuid id;
    std::optional<std::string> external_ref;
    std::string customer_id;
    std::string status;
    std::int64_t total_amount_minor = 0;
    std::string currency;
    std::optional<Shipment> shipment;
    bool operator==(const OrderSummary&) const = default;
};

// Version 0.1 published order events without the summary.
struct OrderCreated {
    static constexpr std::string_view type = "ORDER_CREATED";
    Uuid order_id;
    std::int64_t version = 0;
    std::string customer_id;
    std::string currency;
    std::int64_t total_amount_minor = 0;
    std::vector<OrderLine> items;  // several lines may have the same SKU
    Instant created_at;
    std::optional<OrderSummary> order = {};
    // The lines for which nothing is reserved. A consumer that does not know them leaves them
    // alone.
    std::vector<OrderLine> untracked_items = {};
    bool operator==(const OrderCreated&) const = default;
};
struct OrderStatusUpdated {
    static constexpr std::string_view type = "ORDER_STATUS_UPDATED";
    Uuid order_id;
    std::int64_t version = 0;
    std::string previous_status;
    std::string new_status;  // CONFIRMED, PROCESSING or SHIPPED
    std::optional<std::string> reason;
    Instant occurred_at;
    std::optional<Shipment> shipment;
    std::optional<OrderSummary> order = {};
    bool operator==(const OrderStatusUpdated&) const = default;
};
struct OrderDelivered {
    static constexpr std::string_view type = "ORDER_DELIVERED";
    Uuid order_id;
    std::int64_t version = 0;
    Instant delivered_at;
    std::optional<OrderSummary> order = {};
    bool operator==(const OrderDelivered&) const = default;
};
struct OrderCancelled {
    static constexpr std::string_view type = "ORDER_CANCELLED";
    Uuid order_id;
    std::int64_t version = 0;
    std::string reason;
    std::string cancelled_by;
    Instant cancelled_at;
    std::optional<OrderSummary> order = {};
    std::vector<Shortage> cancel_details = {};  // of an order that inventory refused
    bool operator==(const OrderCancelled&) const = default;
};
// A change of an order that is no change of its status.
struct OrderUpdated {
    static constexpr std::string_view type = "ORDER_UPDATED";
    Uuid order_id;
    std::int64_t version = 0;
    std::vector<std::string> changed;  // the names of the changed fields, as in the API
    Instant occurred_at;
    std::optional<OrderSummary> order = {};
    bool operator==(const OrderUpdated&) const = default;
};
// The personal data of a customer was erased. The key of the message is its own id.
struct CustomerErased {
    static constexpr std::string_view type = "CUSTOMER_ERASED";
    std::string customer_id;
    bool operator==(const CustomerErased&) const = default;
};
struct InventoryReserved {
    static constexpr std::string_view type = "INVENTORY_RESERVED";
    Uuid order_id;
    Uuid reservation_id;
    std::vector<StockLine> items;  // one line for each SKU, sorted by SKU
    std::optional<Instant> expires_at;
    bool operator==(const InventoryReserved&) const = default;
};
struct InventoryReservationFailed {
    static constexpr std::string_view type = "INVENTORY_RESERVATION_FAILED";
    Uuid order_id;
    // OUT_OF_STOCK; UNKNOWN_SKU: at least one item has a SKU that there is not; CANCELLED_FIRST;
    // NOT_RESERVED: a shipment found no live reservation.
    std::string reason;
    std::vector<Shortage> items;
    bool operator==(const InventoryReservationFailed&) const = default;
};
struct InventoryReleased {
    static constexpr std::string_view type = "INVENTORY_RELEASED";
    Uuid order_id;
    Uuid reservation_id;
    std::vector<StockLine> items;  // empty when nothing was reserved
    std::string reason;
    bool operator==(const InventoryReleased&) const = default;
};

using Event =
    std::variant<OrderCreated, OrderStatusUpdated, OrderDelivered, OrderCancelled, OrderUpdated,
                 CustomerErased, InventoryReserved, InventoryReservationFailed, InventoryReleased>;

// The topics of the two services. The topic of an event is its type.
inline constexpr std::string_view order_topics[] = {OrderCreated::type,   OrderStatusUpdated::type,
                                                    OrderDelivered::type, OrderCancelled::type,
                                                    OrderUpdated::type,   CustomerErased::type};
inline constexpr std::string_view inventory_topics[] = {
    InventoryReserved::type, InventoryReservationFailed::type, InventoryReleased::type};

}  // namespace trackops::events
