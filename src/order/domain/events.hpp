// The domain events of an order: everything that can happen to it. A command is decided into
// events, apply() alone changes an order, and the history of an order is the list of its events.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/instant.hpp"
#include "order/domain/order.hpp"

namespace trackops::order::domain {

struct OrderPlaced {};  // the terms are those with which the order began
struct OrderConfirmed {};
struct ProcessingStarted {};
struct OrderShipped {
    Shipment shipment;  // without members when the client named neither
};
struct OrderDelivered {};
struct OrderCancelled {
    std::string reason;
    std::vector<Shortage> details = {};  // when inventory refused the order
};
// A client has changed the terms, or what is known of the shipment. `changed` has the names of the
// changed fields, as in the API.
struct OrderDetailsChanged {
    OrderDetails details;  // all of them, after the change; the shipment has its own event
    std::vector<std::string_view> changed;
};
// The personal part of the terms of a finished order was replaced.
struct PersonalDataErased {
    OrderDetails details;  // all of them, after the change
    std::vector<std::string_view> changed;
};
struct ShipmentCorrected {
    std::optional<Shipment> shipment;  // after the change
    std::vector<std::string_view> changed;
};
// A saga had no reply and asked again. Nothing of the order changes.
struct ReservationRetried {};
struct ReleaseRetried {
    // Those of the cancellation, which its event repeats:
    std::string reason;
    std::string cancelled_by;
    Instant cancelled_at;
};

using Event = std::variant<OrderPlaced, OrderConfirmed, ProcessingStarted, OrderShipped,
                           OrderDelivered, OrderCancelled, OrderDetailsChanged, ShipmentCorrected,
                           PersonalDataErased, ReservationRetried, ReleaseRetried>;

// How the world hears of an event: as an event of a topic, or not at all.
enum class PublicEvent : std::uint8_t {
    none,
    order_created,
    order_status_updated,
    order_delivered,
    order_cancelled,
    order_updated
};

struct EventRule {
    std::string_view name;  // in the history and in the timeline of the API
    PublicEvent heard_as;
    bool is_shown;                     // GET shows a difference: the order's version grows
    std::optional<Status> leads_to{};  // the order's new status; nothing: it stays
};
// One row for each alternative of Event, in its order.
inline constexpr auto event_rules = std::to_array<EventRule>({
    {"ORDER_PLACED", PublicEvent::order_created, true, Status::pending},
    {"ORDER_CONFIRMED", PublicEvent::order_status_updated, true, Status::confirmed},
    {"PROCESSING_STARTED", PublicEvent::order_status_updated, true, Status::processing},
    {"ORDER_SHIPPED", PublicEvent::order_status_updated, true, Status::shipped},
    {"ORDER_DELIVERED", PublicEvent::order_delivered, true, Status::delivered},
    {"ORDER_CANCELLED", PublicEvent::order_cancelled, true, Status::cancelled},
    {"ORDER_DETAILS_CHANGED", PublicEvent::order_updated, true},
    {"SHIPMENT_CORRECTED", PublicEvent::order_updated, true},
    {"PERSONAL_DATA_ERASED", PublicEvent::order_updated, true},
    {"RESERVATION_RETRIED", PublicEvent::order_created, false},
    {"RELEASE_RETRIED", PublicEvent::order_cancelled, false},
});
static_assert(event_rules.size() == std::variant_size_v<Event>);
static_assert(std::ranges::all_of(event_rules, [](const EventRule& rule) {
    return rule.is_shown || !rule.leads_to;
}));
static_assert(std::ranges::all_of(statuses, [](Status status) {
    return std::ranges::count(event_rules, std::optional(status), &EventRule::leads_to) == 1;
}));

inline const EventRule& rule_of(const Event& event) { return event_rules.at(event.index()); }

// Returns the rule of the event with the name; nullptr when there is none. Case-sensitive.
constexpr const EventRule* event_rule_named(std::string_view name) {
    const auto* const found = std::ranges::find(event_rules, name, &EventRule::name);
    return found == event_rules.end() ? nullptr : found;
}

// Changes the order as the event says. `at` is the time of the event. updated_at never goes back,
// even when the clock does.
void apply(Order& order, const Event& event, Instant at);

}  // namespace trackops::order::domain
