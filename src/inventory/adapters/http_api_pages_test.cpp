// Items, reservations and movements, read page by page: each entry appears once while others are
// added and removed.
#include <algorithm>

#include <gtest/gtest.h>

#include "inventory/adapters/api_at_hand_test.hpp"
#include "platform/http/page.hpp"
#include "testing/query_column.hpp"

namespace trackops::inventory::adapters {
namespace {

using http::expect_pages;
using http::joined;
using http::pages_of;

using Names = std::vector<std::string>;

class InventoryPages : public ::testing::TestWithParam<std::string> {
protected:
    void handle(domain::OrderId order, domain::ReservationCommand command,
                std::vector<domain::Line> lines = {}) {
        at_hand.handle(
            {{at_hand.ids.next(), {order, command, std::move(lines), "CUSTOMER_REQUEST"}}});
    }
    domain::OrderId reserve(std::vector<domain::Line> lines) {
        const domain::OrderId order(at_hand.ids.next());
        handle(order, domain::ReservationCommand::create, std::move(lines));
        return order;
    }
    // Returns the ids of the listed reservations, newest first, as JSON.
    Names reservation_ids(std::string_view where = "") {
        return testing::query_column(
            *at_hand.database,
            fmt::format("SELECT '\"' || id || '\"' FROM inventory_reservations "
                        "WHERE status NOT IN ('REFUSED', 'CANCELLED_FIRST') {} ORDER BY id DESC",
                        where));
    }
    Names positions(std::string_view sku) {
        return testing::query_column(
            *at_hand.database,
            fmt::format("SELECT CAST(position AS TEXT) FROM stock_movements "
                        "WHERE sku = '{}' ORDER BY stock_movements.position DESC",
                        sku));
    }
    void adjust(std::string sku, std::int64_t delta) {
        EXPECT_TRUE(at_hand.write(std::move(sku), domain::AdjustStock{delta, "COUNTED"}));
    }

    ApiAtHand at_hand{GetParam()};
};

TEST_P(InventoryPages, HoldEachItemOnce) {
    for (const auto* sku : {"b", "a/c", "B", "a b", "a"}) at_hand.create_item(sku, 5);
    const domain::PatchItem words{{.category = "cloth", .low_stock_threshold = 5}};
    for (const auto* sku : {"a", "a b", "b"}) ASSERT_TRUE(at_hand.write(sku, words));
    const Names all = {"\"B\"", "\"a\"", "\"a b\"", "\"a/c\"", "\"b\""};
    const std::string items = "/api/inventory/items?";
    expect_pages(at_hand.calls, items, "sku", all);
    expect_pages(at_hand.calls, items + "category=cloth", "sku", {all[1], all[2], all[4]});
    expect_pages(at_hand.calls, items + "lowStock=true", "sku", {all[1], all[2], all[4]});
    expect_pages(at_hand.calls, items + "q=B", "sku", {all[0], all[2], all[4]});
    expect_pages(at_hand.calls, items + "q=a&category=cloth&lowStock=true", "sku",
                 {all[1], all[2], all[4]});  // names begin with "a "
    EXPECT_EQ(pages_of(at_hand.calls, items + "category=wood", "sku"), http::Pages{{}});
}

TEST_P(InventoryPages, LeaveNobodyOutWhileItemsComeAndGo) {
    for (const auto* sku : {"b", "d", "f"}) at_hand.create_item(sku, 5);
    // The last item of each page is deleted before the next page is requested.
    const auto delete_seen = [&, seen = Names{"b", "c", "d", "f"}]() mutable {
        ASSERT_TRUE(at_hand.write(seen.front(), domain::DeleteItem{}));
        if (seen.front() == "b") {
            at_hand.create_item("a", 1);  // before the page
            at_hand.create_item("c", 1);  // after it
        }
        seen.erase(seen.begin());
    };
    EXPECT_EQ(joined(pages_of(at_hand.calls, "/api/inventory/items?limit=1", "sku", delete_seen)),
              (Names{"\"b\"", "\"c\"", "\"d\"", "\"f\""}));
}

TEST_P(InventoryPages, HoldEachReservationOnce) {
    at_hand.create_item("A", 50);
    at_hand.create_item("B", 50);
    std::vector<domain::OrderId> orders;
    for (int i = 0; i < 5; ++i) {
        orders.push_back(reserve(i == 2 ? std::vector<domain::Line>{{"B", 1}}
                                        : std::vector<domain::Line>{{"A", 1}, {"B", 1}}));
        reserve({{"A", 99}});  // refused: no reservation
        handle(domain::OrderId(at_hand.ids.next()),
               domain::ReservationCommand::cancel);  // cancelled first: none either
    }
    for (const std::size_t i : {0, 3, 4}) handle(orders[i], domain::ReservationCommand::ship);
    handle(orders[1], domain::ReservationCommand::cancel);
    ASSERT_EQ(reservation_ids().size(), 5U);
    const std::string list = "/api/inventory/reservations?";
    expect_pages(at_hand.calls, list, "id", reservation_ids());
    expect_pages(at_hand.calls, list + "status=FULFILLED", "id",
                 reservation_ids("AND status = 'FULFILLED'"));
    expect_pages(at_hand.calls, list + "sku=B", "id", reservation_ids());
    const auto of_a = fmt::format("AND order_id <> '{}'", orders[2].text());
    expect_pages(at_hand.calls, list + "sku=A", "id", reservation_ids(of_a));
    expect_pages(at_hand.calls, list + "sku=A&status=FULFILLED", "id",
                 reservation_ids("AND status = 'FULFILLED'"));
    const auto of_one = fmt::format("AND order_id = '{}'", orders[3].text());
    for (const auto* filter : {"", "&sku=A", "&status=FULFILLED", "&sku=B&status=FULFILLED"}) {
        expect_pages(at_hand.calls, list + "orderId=" + orders[3].text() + filter, "id",
                     reservation_ids(of_one));
    }
    const std::string only = reservation_ids(of_one).at(0).substr(1, 36);
    EXPECT_EQ(pages_of(at_hand.calls,
                       fmt::format("{}orderId={}&cursor={}", list, orders[3].text(), only), "id"),
              http::Pages{{}});
    EXPECT_EQ(pages_of(at_hand.calls, list + "status=EXPIRED", "id"), http::Pages{{}});
    EXPECT_EQ(pages_of(at_hand.calls, list + "sku=A&orderId=" + orders[2].text(), "id"),
              http::Pages{{}});
}

TEST_P(InventoryPages, LeaveNobodyOutWhileReservationsComeAndGo) {
    at_hand.create_item("A", 50);
    for (int i = 0; i < 4; ++i) reserve({{"A", 1}});
    for (const auto* filter : {"", "sku=A", "status=RESERVED", "sku=A&status=RESERVED"}) {
        const auto list = fmt::format("/api/inventory/reservations?{}", filter);
        const Names ids = joined(pages_of(at_hand.calls, list, "id"));
        auto seen = joined(pages_of(at_hand.calls, list, "orderId"));
        ASSERT_GE(ids.size(), 4U);
        // A newer reservation is added, and the last one of the page is released.
        const auto change = [&] {
            reserve({{"A", 1}});
            handle(domain::OrderId::parse(seen.front().substr(1, 36)).value(),
                   domain::ReservationCommand::cancel);
            seen.erase(seen.begin());
        };
        EXPECT_EQ(joined(pages_of(at_hand.calls, list + "&limit=1", "id", change)), ids) << filter;
    }
}

TEST_P(InventoryPages, HoldEachMovementOnce) {
    at_hand.create_item("A/1 x", 50);
    at_hand.create_item("B", 50);
    for (int i = 0; i < 4; ++i) {
        adjust("A/1 x", -1);
        adjust("B", -1);
    }
    const std::string list = "/api/inventory/items/A%2F1%20x/movements?";
    ASSERT_EQ(positions("A/1 x").size(), 5U);
    expect_pages(at_hand.calls, list, "position", positions("A/1 x"));
    const Names before = positions("A/1 x");
    const auto one_more = [this] { adjust("A/1 x", 1); };  // comes before the first page
    EXPECT_EQ(joined(pages_of(at_hand.calls, list + "limit=1", "position", one_more)), before);
    // The ledger outlives its item.
    ASSERT_TRUE(at_hand.write("A/1 x", domain::DeleteItem{}));
    expect_pages(at_hand.calls, list, "position", positions("A/1 x"));
}

// Items that are larger than a real one may be, so that few fit.
class LargeItems final : public app::InventoryReader {
public:
    static constexpr std::size_t count = 400;
    std::optional<domain::Item> item(std::string_view) override { return std::nullopt; }
    std::vector<domain::Item> items(const app::ItemFilter&, std::string_view after,
                                    std::size_t most) override {
        read += most;
        std::vector<domain::Item> items;
        for (std::size_t i = after.empty() ? 0 : std::stoul(std::string(after)) + 1;
             i < count && items.size() < most; ++i)
            items.push_back({.sku = fmt::format("{:03}", i), .name = std::string(256 * 1024, 'x')});
        return items;
    }
    domain::StockLevels stock_of(std::span<const std::string>) override { return {}; }
    std::vector<app::LedgerRow> movements(std::string_view, std::optional<std::int64_t>,
                                          std::size_t) override {
        return {};
    }
    std::optional<domain::Reservation> reservation(domain::ReservationId) override {
        return std::nullopt;
    }
    std::vector<domain::Reservation> reservations(const app::ReservationFilter&,
                                                  std::optional<domain::ReservationId>,
                                                  std::size_t) override {
        return {};
    }
    std::size_t read = 0;
};

TEST_P(InventoryPages, ReadLittleMoreThanFits) {
    LargeItems reader;
    http::Calls calls(
        inventory_routes({at_hand.write_queue, *at_hand.items, reader, at_hand.clock, at_hand.ids}),
        [] {});
    const http::Response first = calls.call("GET", "/api/inventory/items?limit=500");
    EXPECT_LE(reader.read, 51u) << "of 400 items 16 fit";
    EXPECT_LT(first.body.size(), http::page_bytes_max + 512 * 1024);
    Names all;
    for (std::size_t i = 0; i < LargeItems::count; ++i) all.push_back(fmt::format("\"{:03}\"", i));
    EXPECT_EQ(joined(pages_of(calls, "/api/inventory/items?limit=500", "sku")), all);
}

INSTANTIATE_TEST_SUITE_P(Databases, InventoryPages, ::testing::ValuesIn(testing::databases),
                         [](const auto& kind) { return kind.param; });

}  // namespace
}  // namespace trackops::inventory::adapters
