// Orders and sagas, read page by page: each entry appears once while others are added and removed.
#include <algorithm>

#include <gtest/gtest.h>

#include "order/adapters/api_at_hand_test.hpp"
#include "platform/http/page.hpp"
#include "testing/query_column.hpp"

namespace trackops::order::adapters {
namespace {

using http::expect_pages;
using http::joined;
using http::pages_of;

using Names = std::vector<std::string>;

class OrderPages : public ::testing::TestWithParam<std::string> {
protected:
    // Places `count` orders at the same time and returns their ids, newest first, as JSON.
    Names placed(int count) {
        Names ids;
        for (int i = 0; i < count; ++i) ids.push_back(in_quotes(at_hand.placed()));
        std::ranges::reverse(ids);
        return ids;
    }
    static std::string in_quotes(std::string_view path) {
        return fmt::format("\"{}\"", path.substr(path.rfind('/') + 1));
    }
    static std::string path_of(std::string_view quoted) {
        return fmt::format("/api/orders/{}", quoted.substr(1, quoted.size() - 2));
    }
    void cancel(const std::string& quoted) {
        EXPECT_EQ(at_hand.call("DELETE", path_of(quoted)).status, 200);
    }
    // Returns the ids of the sagas, newest first.
    Names saga_ids(std::string_view where = "") {
        return testing::query_column(
            *at_hand.database,
            fmt::format("SELECT '\"' || id || '\"' FROM saga_instances {} ORDER BY id DESC",
                        where));
    }

    ApiAtHand at_hand{GetParam()};
};

TEST_P(OrderPages, AreBoundedInBytes) {
    const std::string note(16'000, 'n');
    std::string lines;
    for (int i = 0; i < 300; ++i) {
        lines += fmt::format(R"({{"idempotencyKey":"k{}","metadata":{{"note":"{}"}},{})", i, note,
                             ApiAtHand::terms().substr(1)) +
                 '\n';
    }
    ASSERT_EQ(at_hand.call("POST", "/api/orders/bulk", lines).status, 200);
    for (const char* target : {"/api/orders?limit=500", "/api/orders?limit=299"}) {
        const auto first = at_hand.call("GET", target);
        EXPECT_GE(first.body.size(), http::page_bytes_max);
        EXPECT_LT(first.body.size(), http::page_bytes_max + 20'000) << "one order more at most";
        const auto pages = pages_of(at_hand.calls, target, "id");
        EXPECT_EQ(pages.size(), 2u) << target;
        Names all = joined(pages);
        EXPECT_EQ(all.size(), 300u);
        EXPECT_TRUE(std::ranges::is_sorted(all, std::greater{})) << "each once, newest first";
        EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
    }
}

TEST_P(OrderPages, BehindTheLastOrderAreEmpty) {
    const Names ids = placed(2);
    const std::string last = ids.back().substr(1, ids.back().size() - 2);
    const auto page = at_hand.call("GET", "/api/orders?cursor=" + last);
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.body, R"({"items":[],"nextCursor":null})");
}

TEST_P(OrderPages, HoldEachOrderOnce) {
    const Names ids = placed(5);
    cancel(ids[1]);
    cancel(ids[2]);
    cancel(ids[4]);
    expect_pages(at_hand.calls, "/api/orders?", "id", ids);
    expect_pages(at_hand.calls, "/api/orders?status=CANCELLED", "id", {ids[1], ids[2], ids[4]});
    expect_pages(at_hand.calls, "/api/orders?status=PENDING", "id", {ids[0], ids[3]});
    expect_pages(at_hand.calls,
                 "/api/orders?customerId=018bcfe5-687b-7abc-8123-456789abcdef&status=PENDING", "id",
                 {ids[0], ids[3]});
    expect_pages(at_hand.calls,
                 "/api/orders?createdFrom=2023-11-14T22:13:20Z&createdTo=2023-11-14T22:13:21Z",
                 "id", ids);
    EXPECT_EQ(pages_of(at_hand.calls, "/api/orders?status=SHIPPED", "id"), http::Pages{{}});
}

TEST_P(OrderPages, HoldFiftyOrdersUnlessAskedForMore) {
    const Names ids = placed(51);
    const auto pages = pages_of(at_hand.calls, "/api/orders", "id");
    ASSERT_EQ(pages.size(), 2U);
    EXPECT_EQ(pages[0].size(), 50U);
    EXPECT_EQ(joined(pages), ids);
    EXPECT_EQ(pages_of(at_hand.calls, "/api/sagas", "id")[0].size(), 50U);
    EXPECT_EQ(pages_of(at_hand.calls, "/api/orders?limit=500", "id"), http::Pages{ids});
}

TEST_P(OrderPages, LeaveNobodyOutWhileOrdersComeAndGo) {
    const Names ids = placed(4);
    const auto place_one = [this] { placed(1); };
    EXPECT_EQ(joined(pages_of(at_hand.calls, "/api/orders?limit=1", "id", place_one)),
              ids);  // newer orders come before the first page
    const Names pending = joined(pages_of(at_hand.calls, "/api/orders?status=PENDING", "id"));
    // The last order of each page leaves the list before the next page is requested.
    auto seen = pending.begin();
    const auto cancel_last = [&] { cancel(*seen++); };
    EXPECT_EQ(
        joined(pages_of(at_hand.calls, "/api/orders?status=PENDING&limit=1", "id", cancel_last)),
        pending);
}

TEST_P(OrderPages, HoldEachSagaOnce) {
    const Names orders = placed(5);
    for (const std::size_t i : {1, 3}) {
        at_hand.settle(path_of(orders[i]), domain::ReservationOutcome::reserved);
        cancel(orders[i]);  // a second saga
    }
    ASSERT_EQ(saga_ids().size(), 7U);
    expect_pages(at_hand.calls, "/api/sagas?", "id", saga_ids());
    expect_pages(at_hand.calls, "/api/sagas?status=RUNNING", "id",
                 saga_ids("WHERE status = 'RUNNING'"));
    expect_pages(at_hand.calls, "/api/sagas?type=ORDER_CANCELLATION", "id",
                 saga_ids("WHERE type = 'ORDER_CANCELLATION'"));
    expect_pages(at_hand.calls, "/api/sagas?status=COMPLETED&type=ORDER_FULFILMENT", "id",
                 saga_ids("WHERE status = 'COMPLETED'"));
    const std::string order = orders[1].substr(1, orders[1].size() - 2);
    expect_pages(at_hand.calls, "/api/sagas?orderId=" + order, "id",
                 saga_ids(fmt::format("WHERE order_id = '{}'", order)));
}

TEST_P(OrderPages, LeaveNobodyOutWhileSagasComeAndGo) {
    const Names orders = placed(4);
    const Names sagas = saga_ids();
    const auto place_one = [this] { placed(1); };
    EXPECT_EQ(joined(pages_of(at_hand.calls, "/api/sagas?limit=1", "id", place_one)), sagas);
    const Names running = saga_ids("WHERE status = 'RUNNING'");
    const Names theirs = joined(pages_of(at_hand.calls, "/api/sagas?status=RUNNING", "orderId"));
    auto seen = theirs.begin();
    const auto settle_last = [&] {
        at_hand.settle(path_of(*seen++), domain::ReservationOutcome::reserved);
    };
    EXPECT_EQ(
        joined(pages_of(at_hand.calls, "/api/sagas?status=RUNNING&limit=1", "id", settle_last)),
        running);
}

INSTANTIATE_TEST_SUITE_P(Databases, OrderPages, ::testing::ValuesIn(testing::databases),
                         [](const auto& kind) { return kind.param; });

}  // namespace
}  // namespace trackops::order::adapters
