// The reservation of an order: a table with the rule for every pair of state and message, and the
// decision that follows from the rule.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/id.hpp"
#include "base/instant.hpp"
#include "inventory/domain/order_id.hpp"
#include "inventory/domain/stock.hpp"

namespace trackops::inventory::domain {

using ReservationId = Id<struct ReservationTag>;

enum class ReservationState : std::uint8_t {
    absent,
    reserved,
    refused,
    released,
    fulfilled,
    expired,
    cancelled_first
};
inline constexpr std::size_t reservation_state_count = 7;
enum class ReservationCommand : std::uint8_t { create, cancel, ship };
inline constexpr std::size_t reservation_command_count = 3;

enum class Effect : std::uint8_t {
    none,
    hold,     // reserve all lines, or refuse the reservation
    release,  // make the reserved units available
    ship,     // take the reserved units off the stock on hand
};
enum class ReplyKind : std::uint8_t {
    none,
    reserved,      // INVENTORY_RESERVED
    failed,        // INVENTORY_RESERVATION_FAILED, with the recorded reason and shortages
    released,      // INVENTORY_RELEASED, with the lines that were reserved
    dead_letter,   // the order's rules exclude the message: a person must look at it
    not_reserved,  // as dead_letter, and INVENTORY_RESERVATION_FAILED blocks the order's saga
};

struct ReservationRule {
    ReservationState from;
    ReservationCommand command;
    ReservationState to;  // with Effect::hold: the state on success; on failure it is `refused`
    Effect effect;
    ReplyKind reply_kind;
};

// One row for every pair. The reservation of an order never expires; the rules for `expired` are
// those for `released`.
inline constexpr auto reservation_rules = std::to_array<ReservationRule>({
    {ReservationState::absent, ReservationCommand::create, ReservationState::reserved, Effect::hold,
     ReplyKind::reserved},
    {ReservationState::reserved, ReservationCommand::create, ReservationState::reserved,
     Effect::none, ReplyKind::reserved},
    {ReservationState::refused, ReservationCommand::create, ReservationState::refused, Effect::none,
     ReplyKind::failed},
    {ReservationState::released, ReservationCommand::create, ReservationState::released,
     Effect::none, ReplyKind::released},
    {ReservationState::fulfilled, ReservationCommand::create, ReservationState::fulfilled,
     Effect::none, ReplyKind::reserved},
    {ReservationState::expired, ReservationCommand::create, ReservationState::expired, Effect::none,
     ReplyKind::released},
    {ReservationState::cancelled_first, ReservationCommand::create,
     ReservationState::cancelled_first, Effect::none, ReplyKind::failed},

    {ReservationState::absent, ReservationCommand::cancel, ReservationState::cancelled_first,
     Effect::none, ReplyKind::released},
    {ReservationState::reserved, ReservationCommand::cancel, ReservationState::released,
     Effect::release, ReplyKind::released},
    {ReservationState::refused, ReservationCommand::cancel, ReservationState::refused, Effect::none,
     ReplyKind::released},
    {ReservationState::released, ReservationCommand::cancel, ReservationState::released,
     Effect::none, ReplyKind::released},
    {ReservationState::fulfilled, ReservationCommand::cancel, ReservationState::fulfilled,
     Effect::none, ReplyKind::dead_letter},
    {ReservationState::expired, ReservationCommand::cancel, ReservationState::expired, Effect::none,
     ReplyKind::released},
    {ReservationState::cancelled_first, ReservationCommand::cancel,
     ReservationState::cancelled_first, Effect::none, ReplyKind::released},

    {ReservationState::absent, ReservationCommand::ship, ReservationState::refused, Effect::none,
     ReplyKind::not_reserved},
    {ReservationState::reserved, ReservationCommand::ship, ReservationState::fulfilled,
     Effect::ship, ReplyKind::none},
    {ReservationState::refused, ReservationCommand::ship, ReservationState::refused, Effect::none,
     ReplyKind::not_reserved},
    {ReservationState::released, ReservationCommand::ship, ReservationState::released, Effect::none,
     ReplyKind::not_reserved},
    {ReservationState::fulfilled, ReservationCommand::ship, ReservationState::fulfilled,
     Effect::none, ReplyKind::none},
    {ReservationState::expired, ReservationCommand::ship, ReservationState::expired, Effect::none,
     ReplyKind::not_reserved},
    {ReservationState::cancelled_first, ReservationCommand::ship, ReservationState::cancelled_first,
     Effect::none, ReplyKind::not_reserved},
});

// Returns the rule for the pair.
constexpr const ReservationRule& rule_for(ReservationState from, ReservationCommand command) {
    return reservation_rules[static_cast<std::size_t>(command) * reservation_state_count +
                             static_cast<std::size_t>(from)];
}

// The table is complete: the row of each pair is at the index that rule_for() computes.
static_assert(reservation_rules.size() == reservation_state_count * reservation_command_count);
static_assert([] {
    for (std::size_t i = 0; i < reservation_rules.size(); ++i) {
        if (static_cast<std::size_t>(reservation_rules[i].from) != i % reservation_state_count)
            return false;
        if (static_cast<std::size_t>(reservation_rules[i].command) != i / reservation_state_count)
            return false;
    }
    return true;
}());
// The table is sound: only a transition into `reserved` reserves stock, and only a transition out
// of `reserved` releases or ships it. No reservation becomes absent again.
static_assert(std::ranges::all_of(reservation_rules, [](const ReservationRule& rule) {
    const bool enters =
        rule.from != ReservationState::reserved && rule.to == ReservationState::reserved;
    const bool leaves =
        rule.from == ReservationState::reserved && rule.to != ReservationState::reserved;
    const bool leaves_reserved = rule.effect == Effect::release || rule.effect == Effect::ship;
    return enters == (rule.effect == Effect::hold) && leaves == leaves_reserved &&
           rule.to != ReservationState::absent;
}));

struct Line {
    std::string sku;
    std::int64_t quantity = 0;
    bool operator==(const Line&) const = default;
};

enum class ShortageReason : std::uint8_t { insufficient_stock, unknown_sku };
struct Shortage {
    std::string sku;
    std::int64_t requested = 0;
    std::int64_t available = 0;
    ShortageReason reason = ShortageReason::insufficient_stock;
    bool operator==(const Shortage&) const = default;
};

// The reservation of an order. It is created with the first message about the order, whichever
// message that is.
struct Reservation {
    ReservationId id;
    OrderId order_id;
    ReservationState state = ReservationState::absent;
    std::vector<Line> lines;          // reserved now or before: one for each SKU, sorted by SKU
    std::string reason;               // the reason of the refusal or release; otherwise ""
    std::vector<Shortage> shortages;  // of a refused reservation
    std::int64_t reply_sequence = 0;  // the number of replies sent about the order
    Instant created_at;
    Instant updated_at;
    bool operator==(const Reservation&) const = default;
};

// A message about an order. Quantities are positive; several lines may have the same SKU.
struct OrderMessage {
    OrderId order_id;
    ReservationCommand command = ReservationCommand::create;
    std::vector<Line> lines = {};  // for create
    std::string reason = {};       // for cancel
};

struct Reserved {
    ReservationId reservation_id;
    std::vector<Line> lines;
    bool operator==(const Reserved&) const = default;
};
struct ReservationFailed {
    std::string reason;
    std::vector<Shortage> shortages;
    bool operator==(const ReservationFailed&) const = default;
};
struct Released {
    ReservationId reservation_id;
    std::vector<Line> lines;
    std::string reason;
    bool operator==(const Released&) const = default;
};
using InventoryReply = std::variant<Reserved, ReservationFailed, Released>;

// The reasons of a refusal. With an unknown SKU the order is wrong, and more stock would not help.
inline constexpr std::string_view out_of_stock = "OUT_OF_STOCK";
inline constexpr std::string_view unknown_sku = "UNKNOWN_SKU";
inline constexpr std::string_view cancelled_first = "CANCELLED_FIRST";
inline constexpr std::string_view not_reserved = "NOT_RESERVED";

// A change of on hand for the ledger.
struct Movement {
    std::string sku;
    std::int64_t delta = 0;
    std::int64_t on_hand_after = 0;
    bool operator==(const Movement&) const = default;
};

struct Decision {
    std::optional<InventoryReply> reply;
    std::vector<Movement> movements;
    std::optional<std::string> dead_letter;  // why the message cannot be handled
};

// The context of a message: the id of the reservation if the message is the first of its order, and
// the time of the decision.
struct CommandContext {
    ReservationId id;
    Instant now;
};

// Applies the rule for the message to the reservation and the stock levels. A reservation that does
// not exist yet has ReservationState::absent. `stock_levels` has the existing SKUs of the message's
// and the reservation's lines. Every stock level stays valid, and either all lines take effect or
// none.
Decision decide(Reservation& reservation, StockLevels& stock_levels, const OrderMessage& message,
                const CommandContext& context);

// Whether a message that was claimed before has no effect in this state. A dead letter that a
// person sends again after a repair may still have one.
constexpr bool has_no_effect(ReservationState state, ReservationCommand command) {
    return rule_for(state, command).effect == Effect::none;
}
// Returns the decision for a message that is delivered again and has no effect: no change and no
// reply. A dead letter is a dead letter again.
Decision decide_redelivery(const Reservation& reservation, const OrderMessage& message);

// Returns one line for each SKU with the sum of its quantities, in bytewise order. Sums are capped
// at max_units + 1, which no stock level can satisfy.
std::vector<Line> summed(const std::vector<Line>& lines);

}  // namespace trackops::inventory::domain
