#include "inventory/domain/reservation.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace trackops::inventory::domain {

namespace {

std::vector<Shortage> shortages_of(const std::vector<Line>& wanted,
                                   const StockLevels& stock_levels) {
    std::vector<Shortage> short_of;
    for (const Line& line : wanted) {
        const auto shelf = stock_levels.find(line.sku);
        if (shelf == stock_levels.end()) {
            short_of.push_back({line.sku, line.quantity, 0, ShortageReason::unknown_sku});
        } else if (!hold(shelf->second, line.quantity)) {
            short_of.push_back({line.sku, line.quantity, shelf->second.available(),
                                ShortageReason::insufficient_stock});
        }
    }
    return short_of;
}

using StockChange = std::optional<StockLevel> (*)(StockLevel, std::int64_t);

// Applies the step to the stock level of each line, or to none. Returns the first SKU for which the
// step is impossible; nothing on success.
std::optional<std::string> apply_to_all(const std::vector<Line>& lines, StockLevels& stock_levels,
                                        StockChange step) {
    std::vector<std::pair<StockLevel*, StockLevel>> moves;
    for (const Line& line : lines) {
        const auto shelf = stock_levels.find(line.sku);
        if (shelf == stock_levels.end()) return line.sku;
        const auto after = step(shelf->second, line.quantity);
        if (!after) return line.sku;
        moves.emplace_back(&shelf->second, *after);
    }
    for (const auto& [stock, after] : moves) *stock = after;
    return std::nullopt;
}

// Creates the reservation for the first message about an order.
void begin(Reservation& reservation, const OrderMessage& message, const CommandContext& context) {
    reservation = Reservation{.id = context.id,
                              .order_id = message.order_id,
                              .reason = message.command == ReservationCommand::ship
                                            ? std::string(not_reserved)
                                            : message.reason,
                              .created_at = context.now,
                              .updated_at = context.now};
}

void hold_all_or_none(Reservation& reservation, StockLevels& stock_levels,
                      const OrderMessage& message) {
    std::vector<Line> wanted = summed(message.lines);
    reservation.shortages = shortages_of(wanted, stock_levels);
    if (!reservation.shortages.empty()) {
        reservation.state = ReservationState::refused;
        const bool has_unknown = std::ranges::any_of(
            reservation.shortages,
            [](const Shortage& one) { return one.reason == ShortageReason::unknown_sku; });
        reservation.reason = has_unknown ? unknown_sku : out_of_stock;
        return;
    }
    apply_to_all(wanted, stock_levels, hold);
    reservation.lines = std::move(wanted);
}

std::optional<std::string> release_lines(const Reservation& reservation, StockLevels& stock_levels,
                                         Effect effect) {
    const auto wrong_sku =
        apply_to_all(reservation.lines, stock_levels, effect == Effect::ship ? ship : release);
    if (!wrong_sku) return std::nullopt;
    return "the stock of " + *wrong_sku + " does not hold what the reservation says";
}

std::optional<InventoryReply> reply_for(ReplyKind reply_kind, const Reservation& reservation) {
    // The reply to a refused reservation is `failed`.
    if (reply_kind == ReplyKind::reserved && reservation.state == ReservationState::refused)
        reply_kind = ReplyKind::failed;
    switch (reply_kind) {
        case ReplyKind::none:
        case ReplyKind::dead_letter:
            return std::nullopt;
        case ReplyKind::reserved:
            return Reserved{reservation.id, reservation.lines};
        case ReplyKind::failed:
            if (reservation.state == ReservationState::cancelled_first) {
                return ReservationFailed{std::string(cancelled_first), {}};
            }
            return ReservationFailed{reservation.reason, reservation.shortages};
        case ReplyKind::released:
            return Released{reservation.id, reservation.lines, reservation.reason};
        case ReplyKind::not_reserved:
            return ReservationFailed{std::string(not_reserved), {}};
    }
    return std::nullopt;
}

std::optional<std::string> dead_letter_for(ReplyKind reply_kind) {
    if (reply_kind == ReplyKind::dead_letter)
        return "the order was cancelled after its stock was shipped";
    if (reply_kind == ReplyKind::not_reserved) {
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

Decision decide(Reservation& reservation, StockLevels& stock_levels, const OrderMessage& message,
                const CommandContext& context) {
    const ReservationRule& rule = rule_for(reservation.state, message.command);
    Decision decision;
    if (rule.effect == Effect::release || rule.effect == Effect::ship) {
        decision.dead_letter = release_lines(reservation, stock_levels, rule.effect);
        if (decision.dead_letter) return decision;
    }
    if (rule.from == ReservationState::absent) begin(reservation, message, context);
    if (rule.to != rule.from) {
        reservation.state = rule.to;
        reservation.updated_at = context.now;
    }
    if (rule.effect == Effect::hold) hold_all_or_none(reservation, stock_levels, message);
    if (rule.effect == Effect::release) reservation.reason = message.reason;
    if (rule.effect == Effect::ship) {
        for (const Line& line : reservation.lines) {
            const std::int64_t after = stock_levels.find(line.sku)->second.on_hand;
            decision.movements.push_back({line.sku, -line.quantity, after});
        }
    }
    decision.reply = reply_for(rule.reply_kind, reservation);
    decision.dead_letter = dead_letter_for(rule.reply_kind);
    return decision;
}

Decision decide_redelivery(const Reservation& reservation, const OrderMessage& message) {
    return {.dead_letter =
                dead_letter_for(rule_for(reservation.state, message.command).reply_kind)};
}

}  // namespace trackops::inventory::domain
