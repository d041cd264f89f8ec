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

enum class State : std::uint8_t {
    absent,
    reserved,
    refused,
    released,
    fulfilled,
    expired,
    cancelled_first
};
inline constexpr std::size_t state_count = 7;
enum class Ask : std::uint8_t { create, cancel, ship };
inline constexpr std::size_t ask_count = 3;

enum class Effect : std::uint8_t {
    none,
    hold,       // all lines, or the reservation is refused
    give_back,  // what is held becomes available
    ship,       // what is held leaves the house
};
enum class Answer : std::uint8_t {
    none,
    reserved,      // INVENTORY_RESERVED
    failed,        // INVENTORY_RESERVATION_FAILED, as recorded
    released,      // INVENTORY_RELEASED, with what had been held
    dead_letter,   // cannot happen by the order's rules: a person must look
    not_reserved,  // the same, and INVENTORY_RESERVATION_FAILED blocks the order's saga
};

struct Rule {
    State from;
    Ask ask;
    State to;  // of Effect::hold: where it succeeds; else refused
    Effect effect;
    Answer answer;
};

// One row for every pair. An order's own reservation never expires, so `expired` only answers as
// `released` does.
inline constexpr auto rules = std::to_array<Rule>({
    {State::absent, Ask::create, State::reserved, Effect::hold, Answer::reserved},
    {State::reserved, Ask::create, State::reserved, Effect::none, Answer::reserved},
    {State::refused, Ask::create, State::refused, Effect::none, Answer::failed},
    {State::released, Ask::create, State::released, Effect::none, Answer::released},
    {State::fulfilled, Ask::create, State::fulfilled, Effect::none, Answer::reserved},
    {State::expired, Ask::create, State::expired, Effect::none, Answer::released},
    {State::cancelled_first, Ask::create, State::cancelled_first, Effect::none, Answer::failed},

    {State::absent, Ask::cancel, State::cancelled_first, Effect::none, Answer::released},
    {State::reserved, Ask::cancel, State::released, Effect::give_back, Answer::released},
    {State::refused, Ask::cancel, State::refused, Effect::none, Answer::released},
    {State::released, Ask::cancel, State::released, Effect::none, Answer::released},
    {State::fulfilled, Ask::cancel, State::fulfilled, Effect::none, Answer::dead_letter},
    {State::expired, Ask::cancel, State::expired, Effect::none, Answer::released},
    {State::cancelled_first, Ask::cancel, State::cancelled_first, Effect::none, Answer::released},

    {State::absent, Ask::ship, State::refused, Effect::none, Answer::not_reserved},
    {State::reserved, Ask::ship, State::fulfilled, Effect::ship, Answer::none},
    {State::refused, Ask::ship, State::refused, Effect::none, Answer::not_reserved},
    {State::released, Ask::ship, State::released, Effect::none, Answer::not_reserved},
    {State::fulfilled, Ask::ship, State::fulfilled, Effect::none, Answer::none},
    {State::expired, Ask::ship, State::expired, Effect::none, Answer::not_reserved},
    {State::cancelled_first, Ask::ship, State::cancelled_first, Effect::none, Answer::not_reserved},
});

constexpr const Rule& rule_for(State from, Ask ask) {
    return rules[static_cast<std::size_t>(ask) * state_count + static_cast<std::size_t>(from)];
}

// Complete: the row of each pair stands where rule_for() looks for it.
static_assert(rules.size() == state_count * ask_count);
static_assert([] {
    for (std::size_t i = 0; i < rules.size(); ++i) {
        if (static_cast<std::size_t>(rules[i].from) != i % state_count) return false;
        if (static_cast<std::size_t>(rules[i].ask) != i / state_count) return false;
    }
    return true;
}());
// Sound: stock is held by a step into `reserved` and let go by a step out of it, never otherwise;
// and a row, once there, stays.
static_assert(std::ranges::all_of(rules, [](const Rule& rule) {
    const bool enters = rule.from != State::reserved && rule.to == State::reserved;
    const bool leaves = rule.from == State::reserved && rule.to != State::reserved;
    const bool lets_go = rule.effect == Effect::give_back || rule.effect == Effect::ship;
    return enters == (rule.effect == Effect::hold) && leaves == lets_go && rule.to != State::absent;
}));

struct Line {
    std::string sku;
    std::int64_t quantity = 0;
    bool operator==(const Line&) const = default;
};

enum class Lack : std::uint8_t { insufficient_stock, unknown_sku };
struct Shortage {
    std::string sku;
    std::int64_t requested = 0;
    std::int64_t available = 0;
    Lack lack = Lack::insufficient_stock;
    bool operator==(const Shortage&) const = default;
};

// The row an order id has once anything about it was heard.
struct Reservation {
    ReservationId id;
    OrderId order_id;
    State state = State::absent;
    std::vector<Line> lines;          // what is or was held: summed by SKU, sorted by it
    std::string reason;               // why it was refused or given up; "" otherwise
    std::vector<Shortage> shortages;  // of a refused one
    std::int64_t replies = 0;         // events sent about this order so far
    Instant created_at;
    Instant updated_at;
    bool operator==(const Reservation&) const = default;
};

// What an order says. Quantities are 1..max_units each; the same SKU may stand on several lines.
struct OrderMessage {
    OrderId order_id;
    Ask ask = Ask::create;
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
using OrderReply = std::variant<Reserved, ReservationFailed, Released>;

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
    std::optional<OrderReply> reply;
    std::vector<Movement> movements;
    std::optional<std::string> dead_letter;  // why the message cannot be handled
};

// The identity a reservation gets if this message is the first of its order, and the time of the
// decision.
struct Occasion {
    ReservationId id;
    Instant now;
};

// Changes the reservation and the shelves as the rule for the message says. An absent reservation
// has State::absent. Whatever comes back, every stock is as sound as it was, and all lines of the
// message took effect or none.
Decision decide(Reservation& reservation, Shelves& shelves, const OrderMessage& message,
                const Occasion& occasion);

// Whether a message that was claimed before has nothing left to do. A dead letter that a person
// sends again after a repair has.
constexpr bool is_settled(State state, Ask ask) {
    return rule_for(state, ask).effect == Effect::none;
}
// What a settled message comes to when it arrives again: no effect, no reply; a dead letter stays
// one.
Decision decide_again(const Reservation& reservation, const OrderMessage& message);

// One line a SKU, in bytewise order; a sum beyond max_units + 1 stays there (nothing can be that
// much).
std::vector<Line> summed(const std::vector<Line>& lines);

}  // namespace trackops::inventory::domain
