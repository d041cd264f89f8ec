// Tests of `trackops verify` on two databases, at rest and in operation, with planted violations.
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "inventory/application.hpp"
#include "order/application.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"
#include "verify/agreement.hpp"

namespace trackops::verify {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kept = "018bcfe5-6800-7000-8000-000000000001";
constexpr auto then = "2023-11-14T22:13:20.000000Z";

// Holds one order of two lines in each database. The test sets the states.
class Agreement : public ::testing::TestWithParam<std::string> {
protected:
    Agreement() {
        order::migrate(*orders_, metrics_);
        inventory::migrate(*stock_, metrics_);
    }

    static void run(sql::Database& database, const std::vector<std::string>& statements) {
        const auto tx = database.begin(sql::Access::write);
        for (const std::string& text : statements) tx->add({"test.run", text}, {});
        tx->commit();
    }
    void order_is(std::string_view status, std::string_view fulfilment,
                  std::string_view cancellation = "") {
        const bool is_cancelled = status == "CANCELLED";
        std::vector<std::string> statements = {
            "DELETE FROM orders", "DELETE FROM order_items", "DELETE FROM saga_instances",
            fmt::format(
                "INSERT INTO orders (id, customer_id, status, currency, total_amount, "
                "shipping_address, cancel_reason, version, revision, events_sent, created_at, "
                "updated_at) VALUES ('{0}', '{0}', '{1}', 'GBP', 4, '{{}}', {2}, 2, 2, 2, '{3}', "
                "'{3}')",
                kept, status, is_cancelled ? "'X'" : "NULL", then),
            fmt::format(
                "INSERT INTO order_items (order_id, line, sku, quantity, unit_amount) "
                "VALUES ('{0}', 1, 'a', 1, 1), ('{0}', 2, 'b', 2, 1), ('{0}', 3, 'a', 1, 1)",
                kept)};
        int number = 0;
        for (const auto& [type, saga] :
             {std::pair("ORDER_FULFILMENT", fulfilment), {"ORDER_CANCELLATION", cancellation}}) {
            ++number;
            if (saga.empty()) continue;
            const bool waits = saga == "RUNNING" || saga == "COMPENSATING";
            statements.push_back(fmt::format(
                "INSERT INTO saga_instances (id, type, order_id, status, due_at, started_at) "
                "VALUES "
                "('018bcfe5-6800-7000-8000-00000000010{}', '{}', '{}', '{}', {}, '{}')",
                number, type, kept, saga, waits ? fmt::format("'{}'", then) : "NULL", then));
        }
        run(*orders_, statements);
    }
    void reservation_is(std::string_view status, std::int64_t of_a = 2) {
        std::vector<std::string> statements = {"DELETE FROM inventory_reservations",
                                               "DELETE FROM inventory_reservation_items"};
        if (status != "absent") {
            statements.push_back(fmt::format(
                "INSERT INTO inventory_reservations (id, order_id, status, reason, shortages, "
                "replies, created_at, updated_at) VALUES ('{0}', '{0}', '{1}', '', '[]', 1, '{2}', "
                "'{2}')",
                kept, status, then));
            statements.push_back(
                fmt::format("INSERT INTO inventory_reservation_items VALUES "
                            "('{0}', 'a', {1}), ('{0}', 'b', 2)",
                            kept, of_a));
        }
        run(*stock_, statements);
    }
    std::vector<std::string> broken(const VerifyOptions& terms) {
        std::vector<std::string> names;
        for (const auto& finding : check_agreement({*orders_, *stock_}, terms)) {
            if (finding.violations > 0) names.emplace_back(finding.invariant);
        }
        return names;
    }

    const Instant long_after_ = *Instant::parse(then) + std::chrono::hours(1);
    const VerifyOptions at_rest_{.is_at_rest = true, .now = long_after_};
    const VerifyOptions running_{.now = long_after_};
    telemetry::Registry metrics_;
    testing::FreshDatabase fresh_orders_{GetParam()};
    testing::FreshDatabase fresh_stock_{GetParam()};
    std::unique_ptr<sql::Database> orders_ =
        backends::open_database(fresh_orders_.url(), {}, metrics_);
    std::unique_ptr<sql::Database> stock_ =
        backends::open_database(fresh_stock_.url(), {}, metrics_);
};

// Each order status against each reservation status: '+' agrees, '-' is a violation, 'r' is a
// violation at rest only.
TEST_P(Agreement, AnswersEveryPairAsTheTableSays) {
    struct Column {
        std::string_view reservation;
        std::vector<std::string_view> answers;
    };
    const std::vector<std::array<std::string_view, 3>> lives = {
        {"CONFIRMED", "COMPLETED", ""},    {"PROCESSING", "COMPLETED", ""},
        {"SHIPPED", "COMPLETED", ""},      {"DELIVERED", "COMPLETED", ""},
        {"CANCELLED", "COMPENSATED", ""},  {"CANCELLED", "COMPLETED", "COMPLETED"},
        {"CANCELLED", "COMPENSATING", ""}, {"CANCELLED", "COMPLETED", "RUNNING"}};
    const std::vector<Column> columns = {
        {"absent", {"-", "-", "-", "-", "+", "+", "+", "+"}},
        {"RESERVED", {"+", "+", "-", "-", "-", "-", "r", "r"}},
        {"REFUSED", {"-", "-", "-", "-", "+", "+", "+", "+"}},
        {"RELEASED", {"-", "-", "-", "-", "+", "+", "+", "+"}},
        {"FULFILLED", {"-", "-", "+", "+", "-", "-", "-", "-"}},
        {"CANCELLED_FIRST", {"-", "-", "-", "-", "+", "+", "+", "+"}}};
    for (const Column& column : columns) {
        reservation_is(column.reservation);
        for (std::size_t i = 0; i < lives.size(); ++i) {
            const auto& [status, fulfilment, cancellation] = lives[i];
            order_is(status, fulfilment, cancellation);
            const auto has = [](const std::vector<std::string>& names) {
                return std::ranges::find(names, "order_and_reservation_agree") != names.end();
            };
            EXPECT_EQ(has(broken(running_)), column.answers[i] == "-")
                << status << " " << fulfilment << " " << column.reservation;
            EXPECT_EQ(has(broken(at_rest_)), column.answers[i] != "+")
                << status << " " << fulfilment << " " << column.reservation;
        }
    }
}

TEST_P(Agreement, APendingOrderIsUnderWayAndAtRestBroken) {
    order_is("PENDING", "RUNNING");
    reservation_is("RESERVED");
    EXPECT_THAT(broken(running_), IsEmpty());
    EXPECT_THAT(broken(at_rest_), ElementsAre("nothing_is_under_way"));
}

TEST_P(Agreement, AShipmentMayBeOnItsWayForAWhile) {
    order_is("SHIPPED", "COMPLETED");
    reservation_is("RESERVED");
    VerifyOptions soon = running_;
    soon.now = *Instant::parse(then) + std::chrono::minutes(14);
    EXPECT_THAT(broken(soon), IsEmpty());
    EXPECT_THAT(broken(running_), ElementsAre("order_and_reservation_agree"));
}

TEST_P(Agreement, FindsDifferingLinesAndAnOrphanedReservation) {
    order_is("CONFIRMED", "COMPLETED");
    reservation_is("RESERVED", 3);
    EXPECT_THAT(broken(running_), ElementsAre("reservation_holds_what_was_ordered"));
    reservation_is("RESERVED");
    EXPECT_THAT(broken(running_), IsEmpty());
    run(*orders_, {"DELETE FROM orders", "DELETE FROM order_items"});
    EXPECT_THAT(broken(running_), ::testing::Contains("reservation_has_its_order"));
}

// Anything may change between the reads of the two databases. A difference counts only if it is
// unchanged in the second look.
TEST_P(Agreement, ADifferenceThatChangesBeforeTheRecheckIsNoViolation) {
    order_is("CONFIRMED", "COMPLETED");
    reservation_is("RELEASED");
    VerifyOptions terms = running_;
    terms.wait_before_recheck = [&] { order_is("CANCELLED", "COMPLETED", "RUNNING"); };
    EXPECT_THAT(broken(terms), IsEmpty());
    // The order changed and is still wrong, so this is a new difference.
    terms.wait_before_recheck = [&] {
        order_is("CONFIRMED", "COMPLETED");
        run(*orders_, {"UPDATE orders SET version = 3"});
    };
    order_is("CONFIRMED", "COMPLETED");
    EXPECT_THAT(broken(terms), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Databases, Agreement, ::testing::ValuesIn(testing::databases));

}  // namespace
}  // namespace trackops::verify
