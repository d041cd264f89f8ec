// The tests of row locks between two connections to PostgreSQL. SQLite has one writer.
#include <functional>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "inventory/adapters/inventory_stores_fixture.hpp"
#include "testing/query_column.hpp"

namespace trackops::inventory::adapters {
namespace {

// Two batches over the same rows in opposite order must not wait for each other. The test locks the
// lower key. A batch that names the higher key first, with the higher key also first in the table,
// must wait for the lower key and not hold the higher one.
class InventoryLocks : public ::testing::Test {
protected:
    struct Rows {
        std::string table;
        std::string key;
        std::string low;
        std::string high;
    };

    void expect_lowest_first(const Rows& rows, const std::function<void()>& batch) {
        const auto& [table, key, low, high] = rows;
        const std::string hold =
            fmt::format("SELECT 1 FROM {} WHERE {} = '{}' FOR UPDATE", table, key, low);
        auto holder = at_hand_.database->begin(sql::Access::write);
        holder->add({"test.hold", hold}, {});
        holder->flush();
        std::jthread other(batch);
        while (testing::query_column(
                   *at_hand_.database,
                   "SELECT pid::text FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                   "AND datname = current_database()")
                   .empty()) {
            std::this_thread::yield();
        }
        EXPECT_NO_THROW(write(
            fmt::format("SELECT 1 FROM {} WHERE {} = '{}' FOR UPDATE NOWAIT", table, key, high)))
            << "was locked first";
        holder.reset();
    }
    void write(const std::string& text) {
        const auto tx = at_hand_.database->begin(sql::Access::write);
        tx->add({"test.write", text}, {});
        tx->commit();
    }
    domain::OrderId new_order() { return domain::OrderId(at_hand_.ids.next()); }
    app::IncomingMessage create(domain::OrderId order, std::vector<domain::Line> lines) {
        return {at_hand_.ids.next(), {order, domain::ReservationCommand::create, std::move(lines)}};
    }

    // Makes PostgreSQL read in the order of the table; the usual plan happens to follow the keys.
    InventoryStoresFixture at_hand_{"postgres", "?options=-c%20enable_indexscan%3Doff"};
};

TEST_F(InventoryLocks, OfStockAreTakenInTheOrderOfSkus) {
    at_hand_.create_item("B", 5);
    at_hand_.create_item("A", 5);
    expect_lowest_first({"inventory_items", "sku", "A", "B"}, [&] {
        EXPECT_TRUE(at_hand_.handle({create(new_order(), {{"B", 1}, {"A", 1}})}).at(0));
    });
    EXPECT_EQ(at_hand_.stock("B"), (domain::StockLevel{5, 1}));
}

TEST_F(InventoryLocks, OfItemsAreTakenInTheOrderOfSkus) {
    at_hand_.create_item("B", 5);
    at_hand_.create_item("A", 5);
    expect_lowest_first({"inventory_items", "sku", "A", "B"}, [&] {
        const std::vector<app::ItemWrite> writes = {
            {at_hand_.ids.next(), "B", domain::AdjustStock{1, "RETURN"}},
            {at_hand_.ids.next(), "A", domain::AdjustStock{1, "RETURN"}}};
        for (const auto& written : app::write_items(writes, *at_hand_.items, at_hand_.clock)) {
            EXPECT_TRUE(written);
        }
    });
    EXPECT_EQ(at_hand_.stock("B").on_hand, 6);
}

TEST_F(InventoryLocks, OfReservationsAreTakenInTheOrderOfOrders) {
    at_hand_.create_item("A", 5);
    const domain::OrderId low = new_order();
    const domain::OrderId high = new_order();
    ASSERT_LT(low, high);
    at_hand_.handle({create(high, {{"A", 1}})});
    at_hand_.handle({create(low, {{"A", 1}})});
    expect_lowest_first({"inventory_reservations", "order_id", low.text(), high.text()}, [&] {
        const auto cancel = [&](domain::OrderId order) {
            return app::IncomingMessage{
                at_hand_.ids.next(), {order, domain::ReservationCommand::cancel, {}, "CUSTOMER"}};
        };
        for (const auto& handled : at_hand_.handle({cancel(high), cancel(low)})) {
            EXPECT_TRUE(handled);
        }
    });
    EXPECT_EQ(at_hand_.stock("A"), (domain::StockLevel{5, 0}));
}

}  // namespace
}  // namespace trackops::inventory::adapters
