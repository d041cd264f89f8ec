#include "inventory/domain/reservation.hpp"

#include <map>
#include <utility>

namespace trackops::inventory::domain {

namespace {

std::vector<Shortage> shortages_of(const std::vector<Line>& wanted, const Shelves& shelves) {
    std::vector<Shortage> short_of;
    for (const Line& line : wanted) {
        const auto shelf = shelves.find(line.sku);
        if (shelf == shelves.end()) {
            short_of.push_back({line.sku, line.quantity, 0, Lack::unknown_sku});
        } else if (!hold(shelf->second, line.quantity)) {
            short_of.push_back(
                {line.sku, line.quantity, shelf->second.available(), Lack::insufficient_stock});
        }
    }
    return short_of;
}

using StockStep = std::optional<Stock> (*)(Stock, std::int64_t);

// Applies the step to the shelf of each line, or to none; the first SKU whose shelf does not hold
// what the lines say otherwise.
std::optional<std::string> move_all(const std::vector<Line>& lines, Shelves& shelves,
                                    StockStep step) {
    std::vector<std::pair<Stock*, Stock>> moves;
    for (const Line& line : lines) {
        const auto shelf = shelves.find(line.sku);
        if (shelf == shelves.end()) return line.sku;
        const auto after = step(shelf->second, line.quantity);
        if (!after) return line.sku;
        moves.emplace_back(&shelf->second, *after);
    }
    for (const auto& [stock, after] : moves) *stock = after;
    return std::nullopt;
}

// Begins the row of an order that nothing was heard of before.
void begin(Reservation& reservation, const OrderMessage& message, const Occasion& occasion) {
    reservation =
        Reservation{.id = occasion.id,
                    .order_id = message.order_id,
                    .reason = message.ask == Ask::ship ? std::string(not_reserved) : message.reason,
                    .created_at = occasion.now,
                    .updated_at = occasion.now};
}

void hold_all_or_none(Reservation& reservation, Shelves& shelves, const OrderMessage& message) {
    std::vector<Line> wanted = summed(message.lines);
    reservation.shortages = shortages_of(wanted, shelves);
    if (!reservation.shortages.empty()) {
        reservation.state = State::refused;
        reservation.reason = out_of_stock;
        return;
    }
    move_all(wanted, shelves, hold);
    reservation.lines = std::move(wanted);
}

std::optional<std::string> let_go(const Reservation& reservation, Shelves& shelves, Effect effect) {
    const auto culprit =
        move_all(reservation.lines, shelves, effect == Effect::ship ? ship : give_back);
    if (!culprit) return std::nullopt;
    return "the stock of " + *culprit + " does not hold what the reservation says";
}

std::optional<OrderReply> reply_for(Answer answer, const Reservation& reservation) {
    // A hold that was refused answers as failed.
    if (answer == Answer::reserved && reservation.state == State::refused) answer = Answer::failed;
    switch (answer) {
        case Answer::none:
        case Answer::dead_letter:
            return std::nullopt;
        case Answer::reserved:
            return Reserved{reservation.id, reservation.lines};
        case Answer::failed:
            if (reservation.state == State::cancelled_first) {
                return ReservationFailed{std::string(cancelled_first), {}};
            }
            return ReservationFailed{reservation.reason, reservation.shortages};
        case Answer::released:
            return Released{reservation.id, reservation.lines, reservation.reason};
        case Answer::not_reserved:
            return ReservationFailed{std::string(not_reserved), {}};
    }
    return std::nullopt;
}

std::optional<std::string> dead_letter_for(Answer answer) {
    if (answer == Answer::dead_letter) return "the order was cancelled after its stock was shipped";
    if (answer == Answer::not_reserved) {
        return "the order was shipped, but there is no live reservation for it";
    }
    return std::nullopt;
}

}  // namespace

std::vector<Line> summed(const std::vector<Line>& lines) {
    std::map<std::string, std::int64_t, std::less<>> sums;
    for (const Line& line : lines) {
        std::int64_t& sum = sums[line.sku];
        sum = std::min(sum + std::min(line.quantity, max_units + 1), max_units + 1);
    }
    std::vector<Line> result;
    result.reserve(sums.size());
    for (const auto& [sku, quantity] : sums) result.push_back({sku, quantity});
    return result;
}

Decision decide(Reservation& reservation, Shelves& shelves, const OrderMessage& message,
                const Occasion& occasion) {
    const Rule& rule = rule_for(reservation.state, message.ask);
    Decision decision;
    if (rule.effect == Effect::give_back || rule.effect == Effect::ship) {
        decision.dead_letter = let_go(reservation, shelves, rule.effect);
        if (decision.dead_letter) return decision;
    }
    if (rule.from == State::absent) begin(reservation, message, occasion);
    if (rule.to != rule.from) {
        reservation.state = rule.to;
        reservation.updated_at = occasion.now;
    }
    if (rule.effect == Effect::hold) hold_all_or_none(reservation, shelves, message);
    if (rule.effect == Effect::give_back) reservation.reason = message.reason;
    if (rule.effect == Effect::ship) {
        for (const Line& line : reservation.lines) {
            const std::int64_t after = shelves.find(line.sku)->second.on_hand;
            decision.movements.push_back({line.sku, -line.quantity, after});
        }
    }
    decision.reply = reply_for(rule.answer, reservation);
    decision.dead_letter = dead_letter_for(rule.answer);
    return decision;
}

Decision decide_again(const Reservation& reservation, const OrderMessage& message) {
    return {.dead_letter = dead_letter_for(rule_for(reservation.state, message.ask).answer)};
}

}  // namespace trackops::inventory::domain
