// What an order's messages do to its reservation: a table of every (state, message) pair, and the
// decision it leads to.
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
#include "inventory/domain/stock.hpp"

namespace trackops::inventory::domain {

using OrderId = Id<struct OrderTag>;
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
    hold,     // all lines, or the reservation is refused
    release,  // what is held becomes available
    ship,     // what is held leaves the house
};
enum class ReplyKind : std::uint8_t {
    none,
    reserved,      // INVENTORY_RESERVED
    failed,        // INVENTORY_RESERVATION_FAILED, as recorded
    released,      // INVENTORY_RELEASED, with what had been held
    dead_letter,   // cannot happen by the order's rules: a person must look
    not_reserved,  // the same, and INVENTORY_RESERVATION_FAILED blocks the order's saga
};

struct ReservationRule {
    ReservationState from;
    ReservationCommand command;
    ReservationState to;  // of Effect::hold: where it succeeds; else refused
    Effect effect;
    ReplyKind reply_kind;
};

// One row for every pair. An order's own reservation never expires, so `expired` only answers as
// `released` does.
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

constexpr const ReservationRule& rule_for(ReservationState from, ReservationCommand command) {
    return reservation_rules[static_cast<std::size_t>(command) * reservation_state_count +
                             static_cast<std::size_t>(from)];
}

// Complete: the row of each pair stands where rule_for() looks for it.
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
// Sound: stock is held by a step into `reserved` and let go by a step out of it, never otherwise;
// and a row, once there, stays.
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

// The row an order id has once anything about it was heard.
struct Reservation {
    ReservationId id;
    OrderId order_id;
    ReservationState state = ReservationState::absent;
    std::vector<Line> lines;          // what is or was held: summed by SKU, sorted by it
    std::string reason;               // why it was refused or given up; "" otherwise
    std::vector<Shortage> shortages;  // of a refused one
    std::int64_t reply_sequence = 0;  // events sent about this order so far
    Instant created_at;
    Instant updated_at;
    bool operator==(const Reservation&) const = default;
};

// What an order says. Quantities are 1..max_units each; the same SKU may stand on several lines.
struct OrderMessage {
    OrderId order_id;
    ReservationCommand command = ReservationCommand::create;
    std::vector<Line> lines = {};  // of a create
    std::string reason = {};       // of a cancel
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

inline constexpr std::string_view out_of_stock = "OUT_OF_STOCK";
inline constexpr std::string_view cancelled_first = "CANCELLED_FIRST";
inline constexpr std::string_view not_reserved = "NOT_RESERVED";

// A change of on-hand for the ledger.
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

// The identity a reservation gets if this message is the first of its order, and the time of the
// decision.
struct CommandContext {
    ReservationId id;
    Instant now;
};

// Changes the reservation and the shelves as the rule for the message says. An absent reservation
// has ReservationState::absent. Whatever comes back, every stock is as sound as it was, and all
// lines of the message took effect or none.
Decision decide(Reservation& reservation, StockLevels& stock_levels, const OrderMessage& message,
                const CommandContext& context);

// Whether a message that was claimed before has nothing left to do. A dead letter that a person
// sends again after a repair has.
constexpr bool has_no_effect(ReservationState state, ReservationCommand command) {
    return rule_for(state, command).effect == Effect::none;
}
// What a settled message comes to when it arrives again: no effect, no reply; a dead letter stays
// one.
Decision decide_redelivery(const Reservation& reservation, const OrderMessage& message);

// One line a SKU, in bytewise order; a sum beyond max_units + 1 stays there (nothing can be that
// much).
std::vector<Line> summed(const std::vector<Line>& lines);

}  // namespace trackops::inventory::domain
