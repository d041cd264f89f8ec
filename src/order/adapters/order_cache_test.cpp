#include "order/adapters/order_cache.hpp"

#include <gtest/gtest.h>

#include "order/adapters/order_json.hpp"
#include "order/adapters/sql_order_store.hpp"
#include "order/app/place_orders.hpp"
#include "order/migrations.hpp"
#include "platform/backends/open_cache.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/idempotency/migrations.hpp"
#include "platform/outbox/migrations.hpp"
#include "platform/sql/database.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"
#include "testing/fakes.hpp"

namespace trackops::order::adapters {
namespace {

using std::chrono::seconds;

// A database whose answers take the time `takes`.
class SlowDatabase final : public sql::Database {
public:
    SlowDatabase(sql::Database& real, trackops::testing::FakeClock& clock)
        : real_(real), clock_(clock) {}
    Duration takes{};

    std::unique_ptr<sql::Transaction> begin(sql::Access access) override {
        clock_.advance(takes);
        return real_.begin(access);
    }
    sql::Dialect dialect() const override { return real_.dialect(); }
    void ping() override { real_.ping(); }
    std::string description() const override { return real_.description(); }

private:
    sql::Database& real_;
    trackops::testing::FakeClock& clock_;
};

class OrderCacheTest : public ::testing::Test {
protected:
    OrderCacheTest() {
        sql::migrate(*database_, "outbox", outbox::migrations);
        sql::migrate(*database_, "idempotency", idempotency::migrations);
        sql::migrate(*database_, "order", migrations);
        store_ = make_sql_order_store(*database_, clock_, ids_, metrics_, recorded_response);
    }
    domain::Order placed() {
        domain::OrderTerms terms;
        terms.customer = domain::CustomerId{uuid_v7({1}, 2, 3).text()};
        terms.currency = "GBP";
        terms.items = {{"85123A", "Holder", 6, 255}};
        terms.shipping_address = {"Ada", "1 High St", {}, "London", {}, "N1", "GB", {}};
        const std::vector<app::PlaceOrder> commands = {
            {std::move(terms), "anonymous", {"c", "c", "", ""}, {}}};
        return app::place_orders(commands, *store_, clock_, ids_, {}).at(0).value().order;
    }

    trackops::testing::FakeClock clock_;
    trackops::testing::SeededIds ids_;
    telemetry::Registry metrics_;
    trackops::testing::FreshDatabase at_hand_{"sqlite"};
    std::unique_ptr<sql::Database> database_ =
        backends::open_database(at_hand_.url(), {}, metrics_);
    std::unique_ptr<app::OrderStore> store_;
    std::unique_ptr<cache::Cache> entries_ =
        backends::open_cache("embedded:", {}, clock_, metrics_);
    OrderCache cache_{*entries_, clock_};
};

TEST_F(OrderCacheTest, FindsEachOrderWhereItIsAndKnowsItAfterwards) {
    const domain::Order known = placed();
    const domain::Order stored = placed();
    domain::Order newer = known;  // only the cache has version 7, so the cache is read first
    newer.version = 7;
    cache_.put(newer);
    const domain::OrderId nobody(ids_.next());
    const auto found = cache_.find(std::vector{nobody, stored.id, known.id, stored.id}, *store_);
    ASSERT_EQ(found.size(), 4U);
    ASSERT_FALSE(found[0]);
    EXPECT_EQ(found[0].error().code, Errc::not_found);
    EXPECT_EQ(found[1].value().order, order_json(stored));
    EXPECT_EQ(found[1].value().status, status_json(stored));
    EXPECT_EQ(found[2].value().version, 7);
    EXPECT_EQ(found[3].value().version, stored.version);
    ASSERT_TRUE(cache_.get_local(stored.id));
    EXPECT_EQ(cache_.get_local(stored.id)->order, order_json(stored));
    EXPECT_FALSE(cache_.get_local(nobody));  // a missing order is not cached: it may exist soon
}

TEST_F(OrderCacheTest, ExpiresThirtySecondsAfterTheDatabaseWasRead) {
    const domain::Order order = placed();
    const Instant read_at = clock_.now();
    clock_.advance(seconds(20));  // the process was stopped after the read
    cache_.put(order, read_at);
    EXPECT_TRUE(cache_.get_local(order.id));
    clock_.advance(seconds(10));
    EXPECT_FALSE(cache_.get_local(order.id));
    cache_.put(order, read_at);
    EXPECT_FALSE(cache_.get_local(order.id));
    cache_.put(order, clock_.now() + seconds(100));  // read by a replica whose clock is ahead
    clock_.advance(seconds(30));
    EXPECT_FALSE(cache_.get_local(order.id));
}

TEST_F(OrderCacheTest, KeepsAnEntryForHalfAMinuteAndNotAMomentLonger) {
    const domain::Order order = placed();
    const Instant start = clock_.now();
    cache_.put(order);
    clock_.set(start + seconds(30) - Duration(1));
    EXPECT_TRUE(cache_.get_local(order.id));
    clock_.set(start + seconds(30));
    EXPECT_FALSE(cache_.get_local(order.id));
    EXPECT_TRUE(cache_.find(std::vector{order.id}, *store_).at(0));  // and is kept anew
    clock_.set(start + seconds(60) - Duration(1));
    EXPECT_TRUE(cache_.get_local(order.id));
    clock_.set(start + seconds(60));
    EXPECT_FALSE(cache_.get_local(order.id));
    cache_.put(order, clock_.now() - seconds(30) + Duration(1));
    EXPECT_TRUE(cache_.get_local(order.id));
    clock_.advance(Duration(1));
    EXPECT_FALSE(cache_.get_local(order.id));
}

// It may have changed since the database looked at it.
TEST_F(OrderCacheTest, CountsTheAgeOfWhatItReadFromBeforeTheRead) {
    const domain::Order order = placed();
    SlowDatabase slow(*database_, clock_);
    const auto store = make_sql_order_store(slow, clock_, ids_, metrics_, recorded_response);
    const Instant asked_at = clock_.now();
    slow.takes = seconds(20);
    EXPECT_EQ(cache_.find(std::vector{order.id}, *store).at(0).value().version, 1);
    clock_.set(asked_at + seconds(30) - Duration(1));
    EXPECT_TRUE(cache_.get_local(order.id));
    clock_.set(asked_at + seconds(30));
    EXPECT_FALSE(cache_.get_local(order.id));
    slow.takes = seconds(30);
    EXPECT_EQ(cache_.find(std::vector{order.id}, *store).at(0).value().version, 1);
    EXPECT_FALSE(cache_.get_local(order.id));
}

TEST_F(OrderCacheTest, BringsNoOlderVersionBack) {
    const domain::Order order = placed();
    domain::Order newer = order;
    newer.version = 2;
    cache_.put(newer);
    cache_.put(order);
    EXPECT_EQ(cache_.get_local(order.id).value().order, order_json(newer));
}

TEST_F(OrderCacheTest, AsksTheStoreForWhatItCannotRead) {
    const domain::Order order = placed();
    entries_->put(order.id.text(), {7, "no line end"}, seconds(10));
    EXPECT_FALSE(cache_.get_local(order.id));
    EXPECT_EQ(cache_.find(std::vector{order.id}, *store_).at(0).value().version, 1);
}

}  // namespace
}  // namespace trackops::order::adapters
