// The metrics of the order store, tested on both databases.
#include "order/adapters/order_metrics.hpp"

#include <gmock/gmock.h>

#include "order/adapters/order_store_contract_fixture.hpp"
#include "order/adapters/saga_gauges.hpp"
#include "platform/telemetry/log.hpp"

namespace trackops::order::adapters {
namespace {

using domain::Action;
using domain::ReservationOutcome;
using ::testing::HasSubstr;

class OrderMetricsOf : public OrderStoreContract {
protected:
    double counter(const std::string& name, const telemetry::Labels& labels = {}) {
        return metrics_.counter("trackops_orders_" + name + "_total", "", labels).value();
    }
    double cancelled(const std::string& reason) {
        return counter("cancelled", {{"reason", reason}});
    }
    double gauge(const std::string& name, const std::string& type, const std::string& status) {
        return metrics_.gauge(name, "", {{"type", type}, {"status", status}}).value();
    }
    telemetry::MetricFamily::Series confirmations() {
        for (const auto& family : metrics_.families()) {
            if (family.name == "trackops_order_confirmation_seconds") return family.series.at(0);
        }
        throw std::logic_error("no such metric");
    }
    domain::Order confirmed() {
        const domain::Order order = placed();
        EXPECT_TRUE(answer(order.id, ReservationOutcome::reserved, ids_.next()).at(0));
        return order;
    }
    // Lets the time pass, and the sagas act that are then due.
    void wait(Duration time) {
        clock_.advance(time);
        ASSERT_TRUE(app::advance_sagas({.relay_lag = [] { return Duration::zero(); }}, *store_,
                                       clock_, ids_, {}));
    }
    // Returns what `work` logs.
    template <class Work>
    std::string logged(Work work) {
        telemetry::configure_log("test", telemetry::Level::warn, true);
        ::testing::internal::CaptureStderr();
        work();
        return ::testing::internal::GetCapturedStderr();
    }
};

TEST_P(OrderMetricsOf, CountWhatBecomesOfOrders) {
    const domain::Order order = placed();
    clock_.advance(std::chrono::milliseconds(1500));
    answer(order.id, ReservationOutcome::reserved, ids_.next());
    answer(order.id, ReservationOutcome::reserved, ids_.next());
    for (const Action action : {Action::process, Action::ship, Action::deliver})
        ASSERT_TRUE(change(order.id, action));
    ASSERT_FALSE(change(order.id, Action::cancel));
    ASSERT_TRUE(change(placed().id, Action::cancel));
    answer(placed().id, ReservationOutcome::refused, ids_.next());
    EXPECT_EQ(counter("placed"), 3);
    EXPECT_EQ(counter("confirmed"), 1);
    EXPECT_EQ(counter("processing"), 1);
    EXPECT_EQ(counter("shipped"), 1);
    EXPECT_EQ(counter("delivered"), 1);
    EXPECT_EQ(cancelled("CUSTOMER_REQUEST"), 1);
    EXPECT_EQ(cancelled("OUT_OF_STOCK"), 1);
    EXPECT_EQ(cancelled("TIMED_OUT"), 0);
    EXPECT_EQ(confirmations().count, 1U);
    EXPECT_DOUBLE_EQ(confirmations().sum, 1.5);
}

TEST_P(OrderMetricsOf, GiveAReasonOfAClientNoSeriesOfItsOwn) {
    for (const char* reason : {"TOO_LATE", "MADE_UP"}) {
        const domain::Order order = placed();
        const std::vector<app::ChangeOrder> cancelling = {
            {order.id, domain::Command{Action::cancel, reason, {}}, "anonymous", {}, {}, {}}};
        ASSERT_TRUE(app::change_orders(cancelling, *store_, clock_, ids_, {}).at(0));
    }
    EXPECT_EQ(cancelled("OTHER"), 2);
    EXPECT_EQ(metrics_.prometheus_text().find("TOO_LATE"), std::string::npos);
}

TEST_P(OrderMetricsOf, CountNoReplayAndNoRefusal) {
    const IdempotencyKey key{"anonymous POST /api/orders", "k", "f"};
    place({placing(key), placing(), placing(key)});
    place({placing(key)});
    app::PlaceOrder wrong = placing();
    wrong.terms.delivery_instructions = std::string("a\0b", 3);  // PostgreSQL refuses NUL in text
    place({placing(), wrong, placing()});
    EXPECT_EQ(counter("placed"), 4);
    EXPECT_EQ(counter("placed"), count("orders"));
    const domain::Order order = confirmed();
    const IdempotencyKey again{"anonymous POST /api/orders/cancel", "k", "f"};
    ASSERT_TRUE(change(order.id, Action::cancel, again));
    ASSERT_TRUE(change(order.id, Action::cancel, again));
    EXPECT_EQ(cancelled("CUSTOMER_REQUEST"), 1);
}

// Inventory's reply confirms the order while the first run of the cancellation thinks, so that this
// run is rolled back.
TEST_P(OrderMetricsOf, CountNothingThatWasRolledBack) {
    const domain::Order order = placed();
    int runs = 0;
    const std::vector<app::OrderChange> cancelling = {
        {order.id,
         ids_.next(),
         "somebody",
         {},
         {},
         [&](domain::OrderAggregate& record) -> Result<void> {
             if (++runs == 1) answer(order.id, ReservationOutcome::reserved, ids_.next());
             return domain::execute(record, {Action::cancel, "", {}}, domain::SagaId(ids_.next()),
                                    {clock_.now(), "somebody", {}, {}});
         }}};
    ASSERT_TRUE(store_->update(cancelling).at(0));
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(counter("confirmed"), 1);
    EXPECT_EQ(cancelled("CUSTOMER_REQUEST"), 1);
}

TEST_P(OrderMetricsOf, NeverCountTwiceWhenTheAnswerOfTheCommitIsLost) {
    testing::LossyDatabase lossy(*database_);
    store_ = make_sql_order_store(lossy, clock_, ids_, metrics_, recorded_response);
    lossy.lose = 1;
    const IdempotencyKey key{"anonymous POST /api/orders", "k", "f"};
    for (const auto& result : place({placing(), placing(key)})) ASSERT_TRUE(result);
    EXPECT_EQ(lossy.lose, 0);
    EXPECT_EQ(counter("placed"), 2);
    const domain::Order order = placed();
    lossy.lose = 1;
    ASSERT_TRUE(change(order.id, Action::cancel));
    EXPECT_EQ(found(order.id).status, domain::Status::cancelled);
    EXPECT_LE(cancelled("CUSTOMER_REQUEST"), 1);
}

TEST_P(OrderMetricsOf, WarnOfTimeoutsAndBlockedSagas) {
    const domain::Order order = placed();
    const domain::Order other = placed();
    const std::string timed_out = logged([&] { wait(domain::SagaTimeouts().reserve_deadline); });
    EXPECT_EQ(cancelled("TIMED_OUT"), 2);
    EXPECT_THAT(timed_out, HasSubstr(R"("reason":"TIMED_OUT","action":")"));
    EXPECT_EQ(std::ranges::count(timed_out, '\n'), 1) << "one line a second and reason";
    const std::string blocked = logged([&] { wait(domain::SagaTimeouts().release_deadline); });
    EXPECT_THAT(blocked, HasSubstr("a saga is BLOCKED"));
    EXPECT_THAT(blocked, HasSubstr(R"("error":"no answer within the deadline","action":")"));
    EXPECT_TRUE(blocked.find(saga_of(order.id).id.text()) != std::string::npos ||
                blocked.find(saga_of(other.id).id.text()) != std::string::npos);
    EXPECT_EQ(std::ranges::count(blocked, '\n'), 1);
}

TEST_P(OrderMetricsOf, SampleTheSagasThatHaveNotEnded) {
    SagaGauges gauges(*database_, clock_, metrics_);
    confirmed();
    const domain::Order old = placed();
    clock_.advance(std::chrono::seconds(10));
    placed();
    ASSERT_TRUE(change(confirmed().id, Action::cancel));
    clock_.advance(std::chrono::seconds(5));
    EXPECT_EQ(gauges.run({}).call_again_in, SagaGauges::interval_min);
    const std::string fulfilment = "ORDER_FULFILMENT";
    const std::string cancellation = "ORDER_CANCELLATION";
    EXPECT_EQ(gauge("trackops_sagas", fulfilment, "RUNNING"), 2);
    EXPECT_EQ(gauge("trackops_saga_oldest_age_seconds", fulfilment, "RUNNING"), 15);
    EXPECT_EQ(gauge("trackops_sagas", cancellation, "RUNNING"), 1);
    EXPECT_EQ(gauge("trackops_saga_oldest_age_seconds", cancellation, "RUNNING"), 5);
    EXPECT_EQ(gauge("trackops_sagas", fulfilment, "BLOCKED"), 0);

    logged([&] {
        ASSERT_TRUE(change(old.id, Action::cancel));
        gauges.run({});
        EXPECT_EQ(gauge("trackops_sagas", fulfilment, "COMPENSATING"), 1);
        wait(domain::SagaTimeouts().release_deadline);
    });
    gauges.run({});
    EXPECT_EQ(gauge("trackops_sagas", fulfilment, "RUNNING"), 0);
    EXPECT_EQ(gauge("trackops_sagas", fulfilment, "COMPENSATING"), 1);  // it has timed out
    EXPECT_EQ(gauge("trackops_sagas", fulfilment, "BLOCKED"), 1);
    EXPECT_EQ(gauge("trackops_sagas", cancellation, "BLOCKED"), 1);
    EXPECT_EQ(gauge("trackops_saga_oldest_age_seconds", fulfilment, "BLOCKED"), 15 + 24 * 3600);
}

INSTANTIATE_TEST_SUITE_P(Databases, OrderMetricsOf, ::testing::ValuesIn(testing::databases),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace trackops::order::adapters
