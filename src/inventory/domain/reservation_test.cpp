#include "inventory/domain/reservation.hpp"

#include <map>
#include <sstream>

#include <gtest/gtest.h>

namespace trackops::inventory::domain {
namespace {

const Instant then{1'000'000};
const Instant now{2'000'000};
const OrderId order(uuid_v7(then, 1, 1));
const ReservationId reservation_id(uuid_v7(then, 2, 2));
const CommandContext context{ReservationId(uuid_v7(now, 3, 3)), now};

OrderMessage create(std::vector<Line> lines) {
    return {order, ReservationCommand::create, std::move(lines)};
}
const OrderMessage cancel{order, ReservationCommand::cancel, {}, "CUSTOMER_REQUEST"};
const OrderMessage ship_it{order, ReservationCommand::ship};

// Returns a reservation of 2 A and 1 B in the given state.
Reservation in(ReservationState state) {
    if (state == ReservationState::absent) return {};
    Reservation row{.id = reservation_id, .order_id = order, .state = state, .created_at = then};
    if (state == ReservationState::refused) {
        row.reason = out_of_stock;
        row.shortages = {{"A", 2, 1, ShortageReason::insufficient_stock}};
    } else if (state != ReservationState::cancelled_first) {
        row.lines = {{"A", 2}, {"B", 1}};
    }
    if (state == ReservationState::released || state == ReservationState::cancelled_first)
        row.reason = "TIMED_OUT";
    return row;
}

constexpr std::array<std::string_view, reservation_state_count> reservation_state_names = {
    "absent", "RESERVED", "REFUSED", "RELEASED", "FULFILLED", "EXPIRED", "CANCELLED_FIRST"};
constexpr std::array<std::string_view, reservation_command_count> ask_names = {"create", "cancel",
                                                                               "ship"};

// Columns: state, message, new state, change of on hand and of reserved of A, reply. "!": the
// message is a dead letter, which a person must look at.
constexpr auto expected = R"(
absent          create  RESERVED         0  2  reserved
RESERVED        create  RESERVED         0  0  reserved
REFUSED         create  REFUSED          0  0  failed:OUT_OF_STOCK
RELEASED        create  RELEASED         0  0  released:TIMED_OUT:2
FULFILLED       create  FULFILLED        0  0  reserved
EXPIRED         create  EXPIRED          0  0  released::2
CANCELLED_FIRST create  CANCELLED_FIRST  0  0  failed:CANCELLED_FIRST
absent          cancel  CANCELLED_FIRST  0  0  released:CUSTOMER_REQUEST:0
RESERVED        cancel  RELEASED         0 -2  released:CUSTOMER_REQUEST:2
REFUSED         cancel  REFUSED          0  0  released:OUT_OF_STOCK:0
RELEASED        cancel  RELEASED         0  0  released:TIMED_OUT:2
FULFILLED       cancel  FULFILLED        0  0  -!
EXPIRED         cancel  EXPIRED          0  0  released::2
CANCELLED_FIRST cancel  CANCELLED_FIRST  0  0  released:TIMED_OUT:0
absent          ship    REFUSED          0  0  failed:NOT_RESERVED!
RESERVED        ship    FULFILLED       -2 -2  -
REFUSED         ship    REFUSED          0  0  failed:NOT_RESERVED!
RELEASED        ship    RELEASED         0  0  failed:NOT_RESERVED!
FULFILLED       ship    FULFILLED        0  0  -
EXPIRED         ship    EXPIRED          0  0  failed:NOT_RESERVED!
CANCELLED_FIRST ship    CANCELLED_FIRST  0  0  failed:NOT_RESERVED!
)";

std::string described(const Decision& decision) {
    std::string text = "-";
    if (decision.reply) {
        if (std::get_if<Reserved>(&*decision.reply)) text = "reserved";
        if (const auto* failed = std::get_if<ReservationFailed>(&*decision.reply)) {
            text = "failed:" + failed->reason;
        }
        if (const auto* released = std::get_if<Released>(&*decision.reply)) {
            text = "released:" + released->reason;
            text += ':' + std::to_string(released->lines.size());
        }
    }
    return decision.dead_letter ? text + '!' : text;
}

TEST(Reservation, AnswersEveryPairAsTheTableSays) {
    std::istringstream rows(expected);
    std::string from, command, to, reply_kind;
    std::int64_t on_hand = 0, held = 0;
    std::size_t pairs = 0;
    while (rows >> from >> command >> to >> on_hand >> held >> reply_kind) {
        SCOPED_TRACE(testing::Message() << from << " " << command);
        const auto state = static_cast<ReservationState>(
            std::ranges::find(reservation_state_names, from) - reservation_state_names.begin());
        OrderMessage message = command == "create"   ? create({{"B", 1}, {"A", 2}})
                               : command == "cancel" ? cancel
                                                     : ship_it;
        ASSERT_EQ(ask_names[static_cast<std::size_t>(message.command)], command);
        Reservation reservation = in(state);
        StockLevels stock_levels{{"A", {10, 5}}, {"B", {10, 5}}};
        const Decision decision = decide(reservation, stock_levels, message, context);
        EXPECT_EQ(reservation_state_names[static_cast<std::size_t>(reservation.state)], to);
        EXPECT_EQ(stock_levels["A"], (StockLevel{10 + on_hand, 5 + held}));
        EXPECT_EQ(stock_levels["B"], (StockLevel{10 + on_hand / 2, 5 + held / 2}));
        EXPECT_EQ(described(decision), reply_kind);
        EXPECT_EQ(decision.movements.size(), on_hand == 0 ? 0 : 2);
        EXPECT_EQ(reservation.id, state == ReservationState::absent ? context.id : reservation_id);
        EXPECT_EQ(reservation.updated_at, to == from ? Instant{} : now);
        ++pairs;
    }
    EXPECT_EQ(pairs, reservation_state_count * reservation_command_count);
}

TEST(Reservation, SumsTheLinesOfOneSku) {
    Reservation reservation;
    StockLevels stock_levels{{"A", {5, 0}}};
    decide(reservation, stock_levels, create({{"A", 2}, {"A", 3}}), context);
    EXPECT_EQ(reservation.lines, (std::vector<Line>{{"A", 5}}));
    EXPECT_EQ(stock_levels["A"], (StockLevel{5, 5}));
}

TEST(Reservation, HoldsAllLinesOrNoneAndNamesEveryShortOne) {
    Reservation reservation;
    StockLevels stock_levels{{"A", {5, 1}}, {"B", {9, 0}}, {"D", {1, 1}}};
    const StockLevels before = stock_levels;
    const auto decision =
        decide(reservation, stock_levels,
               create({{"D", 1}, {"C", 7}, {"B", 9}, {"A", 3}, {"A", 2}}), context);
    EXPECT_EQ(stock_levels, before);
    EXPECT_EQ(reservation.state, ReservationState::refused);
    EXPECT_TRUE(reservation.lines.empty());
    const std::vector<Shortage> shortages = {{"A", 5, 4, ShortageReason::insufficient_stock},
                                             {"C", 7, 0, ShortageReason::unknown_sku},
                                             {"D", 1, 0, ShortageReason::insufficient_stock}};
    EXPECT_EQ(decision.reply,
              InventoryReply(ReservationFailed{std::string(unknown_sku), shortages}));
    EXPECT_EQ(decide(reservation, stock_levels, create({{"A", 1}}), context).reply, decision.reply);
}

TEST(Reservation, RefusesASumThatOverflows) {
    Reservation reservation;
    StockLevels stock_levels{{"A", {max_units, 0}}};
    for (const std::size_t count : {1, 3}) {
        const std::vector<Line> lines(count, {"A", INT64_MAX});
        reservation = {};
        const auto decision = decide(reservation, stock_levels, create(lines), context);
        const std::vector<Shortage> shortages = {
            {"A", max_units + 1, max_units, ShortageReason::insufficient_stock}};
        EXPECT_EQ(decision.reply,
                  InventoryReply(ReservationFailed{std::string(out_of_stock), shortages}));
        EXPECT_EQ(stock_levels["A"], (StockLevel{max_units, 0}));
    }
}

TEST(Reservation, RecordsEachShipmentWithWhatIsLeft) {
    Reservation reservation = in(ReservationState::reserved);
    StockLevels stock_levels{{"A", {10, 2}}, {"B", {1, 1}}};
    const auto decision = decide(reservation, stock_levels, ship_it, context);
    EXPECT_EQ(decision.movements, (std::vector<Movement>{{"A", -2, 8}, {"B", -1, 0}}));
}

TEST(Reservation, ChangesNothingWhenStockLevelsContradictTheReservation) {
    for (const auto& message : {cancel, ship_it}) {
        Reservation reservation = in(ReservationState::reserved);
        StockLevels stock_levels{{"A", {10, 2}}, {"B", {1, 0}}};
        const StockLevels before = stock_levels;
        const auto decision = decide(reservation, stock_levels, message, context);
        EXPECT_TRUE(decision.dead_letter && !decision.reply);
        EXPECT_EQ(stock_levels, before);
        EXPECT_EQ(reservation, in(ReservationState::reserved));
    }
}

TEST(Reservation, KeepsADeadLetterOneWhenItComesAgain) {
    EXPECT_TRUE(decide_redelivery(in(ReservationState::released), ship_it).dead_letter);
    EXPECT_TRUE(decide_redelivery(in(ReservationState::fulfilled), cancel).dead_letter);
    EXPECT_FALSE(decide_redelivery(in(ReservationState::fulfilled), ship_it).dead_letter);
    EXPECT_FALSE(decide_redelivery(in(ReservationState::released), ship_it).reply);
    EXPECT_TRUE(has_no_effect(ReservationState::fulfilled, ReservationCommand::ship));
    EXPECT_FALSE(has_no_effect(ReservationState::reserved, ReservationCommand::ship));
}

TEST(StockLevel, StaysValidOrIsRefused) {
    EXPECT_EQ(hold({5, 2}, 3), (StockLevel{5, 5}));
    EXPECT_FALSE(hold({5, 2}, 4));
    EXPECT_EQ(release({5, 2}, 2), (StockLevel{5, 0}));
    EXPECT_FALSE(release({5, 2}, 3));
    EXPECT_EQ(ship({5, 2}, 2), (StockLevel{3, 0}));
    EXPECT_FALSE(ship({5, 2}, 3));
    EXPECT_EQ(adjust({5, 2}, -3), (StockLevel{2, 2}));
    EXPECT_FALSE(adjust({5, 2}, -4));
    EXPECT_FALSE(adjust({5, 2}, max_units));
}

}  // namespace
}  // namespace trackops::inventory::domain
