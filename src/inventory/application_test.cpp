// The service on its ports, with its pumps driven by hand: order events go in, and replies come out
// with correlation, causation and trace.
#include "inventory/application.hpp"

#include <map>

#include <gtest/gtest.h>

#include "events/encode.hpp"
#include "events/events.hpp"
#include "platform/backends/open_bus.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/bus/bus.hpp"
#include "platform/http/calls_for_tests.hpp"
#include "platform/http/rows_for_tests.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"
#include "testing/fakes.hpp"

namespace trackops::inventory {
namespace {

class InventoryApplication : public ::testing::TestWithParam<std::string> {
protected:
    InventoryApplication() {
        application.listen();
        for (const runtime::NamedPump& named : application.pumps())
            pumps.emplace(named.name, &named.pump);
        requests =
            bus->subscribe("test", std::vector<std::string>(std::begin(events::inventory_topics),
                                                            std::end(events::inventory_topics)));
    }

    // Publishes an event of the order and handles it. Returns the id of the message.
    std::string publish(const events::Event& event, std::vector<bus::Header> headers) {
        headers.push_back({"ce_id", ids.next().text()});
        const std::vector<bus::OutgoingMessage> messages = {
            {std::string(events::type_of(event)), order.text(), events::encode(event), headers}};
        EXPECT_EQ(bus->publisher()->publish(messages).at(0), bus::Delivery::acknowledged);
        pumps.at("stock-reserving")->run({});
        return headers.back().value;
    }
    // Returns the events that the relay publishes now.
    std::vector<bus::Message> sent() {
        pumps.at("stock-relay")->run({});
        return requests->poll(100, {});
    }

    telemetry::Registry metrics;
    testing::FakeClock clock;
    testing::SeededIds ids;
    testing::TemporaryFolder folder;
    testing::FreshDatabase fresh{GetParam()};
    std::unique_ptr<sql::Database> database = [this] {
        auto opened = backends::open_database(fresh.url(), {}, metrics);
        migrate(*opened, metrics);
        return opened;
    }();
    std::unique_ptr<bus::Bus> bus =
        backends::open_bus("embedded:" + folder.path(), {}, clock, metrics);
    Application application{{*database, *database, *bus, clock, ids, metrics, &clock},
                            {.relay_holder = "test"}};
    std::map<std::string, runtime::Pump*> pumps;
    http::Calls calls{application.routes(), [this] { pumps.at("stock-writing")->run({}); }};
    std::unique_ptr<bus::Subscription> requests;
    const Uuid order = ids.next();
};

TEST_P(InventoryApplication, ServesTheRowsOfItsTable) {
    std::vector<std::string> table = http::texts_of(route_table());
    std::erase_if(table, [](const auto& row) { return row.contains(" /actuator"); });
    EXPECT_EQ(http::texts_of(application.routes()), table);  // the Host adds the actuator
}

TEST(InventoryRouteTable, HoldsAtTheEdge) { http::expect_rows_hold(route_table()); }

// The correlation and the trace pass from an order event to the reply.
TEST_P(InventoryApplication, SaysOverTheBusWhereEachReplyComesFrom) {
    ASSERT_EQ(
        calls.call("POST", "/api/inventory/items", R"({"sku":"A","name":"a","onHand":5})").status,
        201);
    const auto created = publish(events::OrderCreated{.order_id = order,
                                                      .version = 1,
                                                      .customer_id = ids.next().text(),
                                                      .currency = "GBP",
                                                      .total_amount_minor = 2,
                                                      .items = {{"A", 2, 1}},
                                                      .created_at = clock.now()},
                                 {{"ce_correlationid", "mine"},
                                  {"ce_causationid", "of no concern"},
                                  {"traceparent", "a span"},
                                  {"tracestate", "a=b"}});
    const auto replies = sent();
    ASSERT_EQ(replies.size(), 1U);
    EXPECT_EQ(replies[0].topic, "INVENTORY_RESERVED");
    EXPECT_EQ(replies[0].key, order.text());
    EXPECT_EQ(replies[0].header("ce_source"), "/trackops/inventory");
    EXPECT_EQ(replies[0].header("ce_correlationid"), "mine");
    EXPECT_EQ(replies[0].header("ce_causationid"), created);
    EXPECT_EQ(replies[0].header("traceparent"), "a span");
    EXPECT_EQ(replies[0].header("tracestate"), "a=b");
    EXPECT_EQ(calls.call("GET", "/api/inventory/availability?sku=A").body,
              R"({"items":[{"sku":"A","onHand":5,"reserved":2,"available":3}],"unknown":[]})");
}

INSTANTIATE_TEST_SUITE_P(Databases, InventoryApplication, ::testing::ValuesIn(testing::databases),
                         [](const auto& kind) { return kind.param; });

}  // namespace
}  // namespace trackops::inventory
