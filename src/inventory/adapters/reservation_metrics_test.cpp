// The metrics of the reservation store, tested on both databases.
#include "inventory/adapters/reservation_metrics.hpp"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "inventory/adapters/inventory_stores_fixture.hpp"
#include "inventory/adapters/stock_gauges.hpp"
#include "testing/lossy_database.hpp"

namespace trackops::inventory::adapters {
namespace {

class ReservationMetricsOf : public ::testing::TestWithParam<std::string> {
protected:
    domain::OrderId new_order() { return domain::OrderId(at_hand.ids.next()); }
    app::IncomingMessage message(domain::OrderId order, domain::ReservationCommand command,
                                 std::vector<domain::Line> lines = {}) {
        return {at_hand.ids.next(), {order, command, std::move(lines)}};
    }
    double requests(const std::string& outcome) {
        return at_hand.metrics.counter("trackops_reservations_total", "", {{"outcome", outcome}})
            .value();
    }
    double ended(const std::string& outcome) {
        return at_hand.metrics
            .counter("trackops_reservations_ended_total", "", {{"outcome", outcome}})
            .value();
    }
    double gauge(const std::string& name, const telemetry::Labels& labels = {}) {
        return at_hand.metrics.gauge(name, "", labels).value();
    }
    double units(const std::string& state) {
        return gauge("trackops_stock_units", {{"location", "default"}, {"state", state}});
    }

    InventoryStoresFixture at_hand{GetParam()};
};

using domain::ReservationCommand;

TEST_P(ReservationMetricsOf, CountTheOutcomeOfEachOrderOnce) {
    at_hand.create_item("A", 5);
    const domain::OrderId taken = new_order();
    const domain::OrderId shipped = new_order();
    const auto create = message(taken, ReservationCommand::create, {{"A", 2}});
    at_hand.handle({create, create, message(shipped, ReservationCommand::create, {{"A", 1}}),
                    message(new_order(), ReservationCommand::create, {{"A", 9}}),
                    message(new_order(), ReservationCommand::create, {{"A", 9}, {"?", 1}}),
                    message(new_order(), ReservationCommand::cancel),
                    message(new_order(), ReservationCommand::ship)});
    at_hand.handle({create, message(taken, ReservationCommand::create, {{"A", 2}}),
                    message(taken, ReservationCommand::cancel),
                    message(taken, ReservationCommand::cancel),
                    message(shipped, ReservationCommand::ship)});
    EXPECT_EQ(requests("reserved"), 2);
    EXPECT_EQ(requests("out_of_stock"), 1);
    EXPECT_EQ(requests("unknown_sku"), 1);
    EXPECT_EQ(requests("cancelled_first"), 1);
    EXPECT_EQ(requests("not_reserved"), 1);
    EXPECT_EQ(ended("released"), 1);
    EXPECT_EQ(ended("fulfilled"), 1);
}

// The first run of the batch is rolled back: another transaction has saved the same reservation.
TEST_P(ReservationMetricsOf, CountNothingThatWasRolledBack) {
    at_hand.create_item("A", 5);
    const std::vector messages{message(new_order(), ReservationCommand::create, {{"A", 2}})};
    int runs = 0;
    const auto decide = [&](domain::Reservation& reservation, domain::StockLevels& stock_levels,
                            const domain::OrderMessage& order_message) {
        const domain::CommandContext context{domain::ReservationId(at_hand.ids.next()),
                                             at_hand.clock.now()};
        app::ReservationStore::Step step{
            domain::decide(reservation, stock_levels, order_message, context), at_hand.ids.next()};
        if (++runs == 1) {
            // The database refuses this row at the commit, so nothing of the run is saved.
            reservation.reply_sequence = -1;
            step.decision.reply.reset();
        }
        return step;
    };
    const auto refused = at_hand.reservations->handle(messages, decide, at_hand.clock.now());
    EXPECT_EQ(refused.at(0).error().code, Errc::invalid);
    EXPECT_EQ(requests("reserved"), 0);
    ASSERT_TRUE(at_hand.reservations->handle(messages, decide, at_hand.clock.now()).at(0));
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(requests("reserved"), 1);
}

TEST_P(ReservationMetricsOf, NeverCountTwiceWhenTheAnswerOfTheCommitIsLost) {
    at_hand.create_item("A", 5);
    testing::LossyDatabase lossy(*at_hand.database);
    at_hand.reservations = make_reservation_store(lossy, at_hand.metrics);
    lossy.lose = 1;
    ASSERT_TRUE(
        at_hand.handle({message(new_order(), ReservationCommand::create, {{"A", 2}})}).at(0));
    EXPECT_EQ(lossy.lose, 0);
    EXPECT_EQ(at_hand.stock("A").reserved, 2);
    EXPECT_LE(requests("reserved"), 1);
}

TEST_P(ReservationMetricsOf, ShowTheStockAtTheEndOfAPass) {
    StockGauges gauges(*at_hand.database, at_hand.metrics, 2);
    EXPECT_EQ(gauges.run({}).call_again_in, StockGauges::pass_interval);
    EXPECT_EQ(units("on_hand"), 0);
    at_hand.create_item("A", 5);
    at_hand.create_item("B", 0);
    const auto written =
        at_hand.write("C", domain::CreateItem{{.name = "C", .low_stock_threshold = 3}, 5});
    ASSERT_TRUE(written);
    at_hand.handle({message(new_order(), ReservationCommand::create, {{"A", 1}, {"C", 2}})});
    gauges.run({});
    EXPECT_EQ(units("on_hand"), 10);
    EXPECT_EQ(units("reserved"), 3);
    EXPECT_EQ(units("available"), 7);
    EXPECT_EQ(gauge("trackops_stock_items"), 3);
    EXPECT_EQ(gauge("trackops_stock_items_low"), 2);  // B by the default
    EXPECT_EQ(gauge("trackops_stock_items_out"), 1);
}

// A pass over many items is many short reads, and the gauges change at its end alone.
TEST_P(ReservationMetricsOf, ReadOnePageOfItemsACall) {
    constexpr int items = StockGauges::page_max + 1;
    std::vector<sql::Params> rows;
    for (int i = 0; i < items; ++i) rows.push_back({fmt::format("S{:06}", i), at_hand.clock.now()});
    const auto tx = at_hand.database->begin(sql::Access::write);
    tx->add_batch({.name = "test.items", .text = R"sql(
        INSERT INTO inventory_items (sku, name, on_hand, reserved, version, created_at, updated_at)
        VALUES ($1, $1, 2, 1, 1, $2, $2))sql"},
                  std::move(rows));
    tx->commit();
    StockGauges gauges(*at_hand.database, at_hand.metrics, 2);
    gauges.run({});
    EXPECT_EQ(gauge("trackops_stock_items"), 0);
    gauges.run({});
    EXPECT_EQ(gauge("trackops_stock_items"), items);
    EXPECT_EQ(units("on_hand"), 2 * items);
    EXPECT_EQ(units("reserved"), items);
    gauges.run({});
    gauges.run({});
    EXPECT_EQ(units("on_hand"), 2 * items);
}

INSTANTIATE_TEST_SUITE_P(Databases, ReservationMetricsOf, ::testing::ValuesIn(testing::databases),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace trackops::inventory::adapters
