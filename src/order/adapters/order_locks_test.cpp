// The tests of row locks between two connections to PostgreSQL. SQLite has one writer.
#include <thread>

#include <gtest/gtest.h>

#include "order/adapters/order_json.hpp"
#include "order/adapters/sql_order_store.hpp"
#include "order/app/place_orders.hpp"
#include "order/app/settle_reservations.hpp"
#include "order/migrations.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/idempotency/migrations.hpp"
#include "platform/outbox/migrations.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"
#include "testing/fakes.hpp"

namespace trackops::order::adapters {
namespace {

class OrderLocks : public ::testing::Test {
protected:
    OrderLocks() {
        sql::migrate(*database_, "outbox", outbox::migrations);
        sql::migrate(*database_, "idempotency", idempotency::migrations);
        sql::migrate(*database_, "order", migrations);
    }

    domain::OrderId placed(Ids& ids) {
        domain::OrderTerms terms;
        terms.currency = "GBP";
        terms.items = {{"a", {}, 1, 1}};
        terms.shipping_address = {{}, "1 High St", {}, "London", {}, "N1", "GB", {}};
        return app::place_orders(std::vector<app::PlaceOrder>{{terms, "anonymous", {}, {}}},
                                 *store_, clock_, ids, {})
            .at(0)
            .value()
            .order.id;
    }
    // A plan for few rows happens to follow the ids. Without its indexes PostgreSQL scans the
    // table, whose first row is the order that was placed first.
    void forget_the_indexes() {
        const auto tx = database_->begin(sql::Access::write);
        tx->add({.name = "test.forget_the_key",
                 .text = "ALTER TABLE orders DROP CONSTRAINT orders_pkey CASCADE"},
                {});
        tx->add({.name = "test.forget_the_index", .text = "DROP INDEX orders_customer"}, {});
        tx->commit();
    }
    // Whether another connection can lock the row at once.
    bool is_free(domain::OrderId id) {
        const auto tx = database_->begin(sql::Access::write);
        const auto& row =
            tx->add({.name = "test.is_free",
                     .text = "SELECT id FROM orders WHERE id = $1 FOR UPDATE SKIP LOCKED"},
                    {id});
        tx->flush();
        return !row.rows().empty();
    }
    void wait_until_somebody_waits_for_a_lock() {
        for (bool somebody = false; !somebody; std::this_thread::yield()) {
            const auto tx = database_->begin(sql::Access::read);
            const auto& waiting = tx->add(
                {.name = "test.waiting",
                 .text = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
                         "AND wait_event_type = 'Lock'"},
                {});
            tx->flush();
            somebody = !waiting.rows().empty();
        }
    }

    telemetry::Registry metrics_;
    testing::FakeClock clock_;
    testing::SeededIds ids_;
    testing::FreshDatabase at_hand_{"postgres"};
    std::unique_ptr<sql::Database> database_ = backends::open_database(
        at_hand_.url() + "?options=-c%20enable_nestloop%3Doff%20-c%20enable_mergejoin%3Doff", {},
        metrics_);
    std::unique_ptr<app::OrderStore> store_ =
        make_sql_order_store(*database_, clock_, ids_, metrics_, recorded_response);
};

// Two batches over the same orders in opposite order must not wait for each other. The test locks
// the lower id. A batch that names the higher id first, with the higher id also first in the table,
// must wait for the lower id and hold no lock.
TEST_F(OrderLocks, AreTakenInTheOrderOfIdsWhateverTheBatchSays) {
    testing::SeededIds later_ids(2);
    const domain::OrderId high = placed(later_ids);
    const domain::OrderId low = placed(ids_);
    ASSERT_LT(low, high);
    forget_the_indexes();
    auto holder = database_->begin(sql::Access::write);
    holder->add({.name = "test.hold", .text = "SELECT id FROM orders WHERE id = $1 FOR UPDATE"},
                {low});
    holder->flush();
    std::vector<Result<app::SaveResult>> results;
    std::jthread batch([&] {
        const std::vector<app::ReservationReply> replies = {
            {high, ids_.next(), domain::ReservationOutcome::reserved, {}},
            {low, ids_.next(), domain::ReservationOutcome::reserved, {}}};
        results = app::settle_reservations(replies, *store_, clock_, {});
    });
    wait_until_somebody_waits_for_a_lock();
    EXPECT_TRUE(is_free(high));
    holder.reset();
    batch.join();
    for (const auto& receipt : results)
        EXPECT_EQ(receipt.value().order.status, domain::Status::confirmed);
}

}  // namespace
}  // namespace trackops::order::adapters
