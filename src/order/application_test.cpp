// The service on its ports, with its pumps driven by hand: the API shows the changes that the pumps
// make, and their events carry correlation, causation and trace.
#include "order/application.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "events/encode.hpp"
#include "events/events.hpp"
#include "platform/backends/open_bus.hpp"
#include "platform/backends/open_cache.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/bus/bus.hpp"
#include "platform/http/calls_for_tests.hpp"
#include "platform/http/rows_for_tests.hpp"
#include "platform/relay/poll_source.hpp"
#include "platform/relay/relay.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"
#include "testing/fakes.hpp"

namespace trackops::order {
namespace {

using http::member;
using std::chrono::seconds;
using ::testing::HasSubstr;

// Shorter than the 30 seconds for which the cache may answer a read.
constexpr domain::SagaTimeouts short_patience{.reserve_deadline = seconds(10),
                                              .first_retry = seconds(5)};

constexpr const char* terms =
    R"({"customerId":"018bcfe5-687b-7abc-8123-456789abcdef","currency":"GBP","items":)"
    R"([{"sku":"A","quantity":2,"unitAmount":250}],"shippingAddress":)"
    R"({"line1":"1 High St","city":"London","postalCode":"N1","country":"GB"}})";

class OrderApplication : public ::testing::TestWithParam<std::string> {
protected:
    OrderApplication() {
        application.listen();
        for (const runtime::NamedPump& named : application.pumps())
            pumps.emplace(named.name, &named.pump);
        heard = bus->subscribe("test", std::vector<std::string>(std::begin(events::order_topics),
                                                                std::end(events::order_topics)));
    }

    std::string place() {
        const auto placed = calls.call("POST", "/api/orders", terms, {{"idempotency-key", "k-1"}});
        EXPECT_EQ(placed.status, 201) << placed.body;
        return http::header(placed, "Location");
    }
    std::string status_of(const std::string& path) {
        const std::string status = member(calls.call("GET", path), "status");
        EXPECT_EQ(member(calls.call("GET", path + "/status"), "status"), status);
        return status;
    }
    // Returns the events that the relay publishes now.
    std::vector<bus::Message> sent() {
        relay.run({});
        return heard->poll(100, {});
    }
    // Publishes INVENTORY_RESERVED and lets the service handle it. Returns the id of the message.
    std::string reserve(const std::string& path, std::vector<bus::Header> headers = {}) {
        const auto order = Uuid::parse(path.substr(path.rfind('/') + 1)).value();
        headers.push_back({"ce_id", ids.next().text()});
        const events::Event event = events::InventoryReserved{order, ids.next(), {{"A", 2}}, {}};
        const std::vector<bus::OutgoingMessage> messages = {
            {std::string(events::type_of(event)), order.text(), events::encode(event), headers}};
        EXPECT_EQ(bus->publisher()->publish(messages).at(0), bus::Delivery::acknowledged);
        pumps.at("order-settling")->run({});
        return headers.back().value;
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
    std::unique_ptr<cache::Cache> cache = backends::open_cache("embedded:", {}, clock, metrics);
    std::unique_ptr<bus::Bus> bus =
        backends::open_bus("embedded:" + folder.path(), {}, clock, metrics);
    Application application{{*database, *cache, *bus, clock, ids, metrics, &clock},
                            {.timeouts = short_patience}};
    std::map<std::string, runtime::Pump*> pumps;
    http::Calls calls{application.routes(), [this] {
                          for (const auto* name : {"order-placing", "order-changing",
                                                   "order-finding", "order-waiting"}) {
                              pumps.at(name)->run({});
                          }
                      }};
    relay::Relay relay{
        *database, relay::make_poll_source(*database), *bus, clock, {.holder = "test"}, metrics};
    std::unique_ptr<bus::Subscription> heard;
};

TEST_P(OrderApplication, ServesTheRowsOfItsTable) {
    std::vector<std::string> table = http::texts_of(route_table());
    std::erase_if(table, [](const auto& row) { return row.contains(" /actuator"); });
    EXPECT_EQ(http::texts_of(application.routes()), table);  // the Host adds the actuator
}

TEST(OrderRouteTable, HoldsAtTheEdge) { http::expect_rows_hold(route_table()); }

TEST_P(OrderApplication, ShowsAtOnceWhatInventoryAnswered) {
    const std::string path = place();
    EXPECT_EQ(status_of(path), "PENDING");  // also puts the order into the cache
    reserve(path);
    EXPECT_EQ(status_of(path), "CONFIRMED");
    EXPECT_EQ(http::header(calls.call("GET", path), "ETag"), "\"2\"");
}

TEST_P(OrderApplication, ShowsAtOnceWhatTheSagaClockGaveUp) {
    const std::string path = place();
    EXPECT_EQ(sent().size(), 1U);
    EXPECT_EQ(status_of(path), "PENDING");
    clock.advance(short_patience.reserve_deadline);
    EXPECT_EQ(status_of(path), "PENDING") << "no longer from memory";
    pumps.at("order-sagas")->run({});
    EXPECT_EQ(status_of(path), "CANCELLED");
    EXPECT_THAT(calls.call("GET", path).body, HasSubstr("\"cancelReason\":\"TIMED_OUT\""));
}

TEST_P(OrderApplication, IsPatientWhileItsEventsDoNotLeave) {
    const std::string path = place();
    clock.advance(short_patience.reserve_deadline);
    pumps.at("order-sagas")->run({});
    EXPECT_EQ(status_of(path), "PENDING");
}

TEST_P(OrderApplication, AnswersWhoWaitsWhenInventoryAnswers) {
    const auto waiting =
        calls.send("POST", "/api/orders?wait=confirmed", terms, {{"idempotency-key", "k-2"}});
    EXPECT_FALSE(waiting->answer);
    const auto newest = http::joined(http::pages_of(calls, "/api/orders?limit=500", "id")).at(0);
    reserve("/api/orders/" + newest.substr(1, newest.size() - 2));
    ASSERT_TRUE(waiting->answer) << "without a look into the database";
    EXPECT_EQ(member(*waiting->answer, "status"), "CONFIRMED");
}

// The correlation and the trace pass from a request to its event, and from inventory's reply to the
// next event.
TEST_P(OrderApplication, SaysOverTheBusWhereEachEventComesFrom) {
    calls.origin.context.correlation_id = "mine";
    calls.origin.context.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    calls.origin.context.tracestate = "a=b";
    const std::string path = place();
    const auto created = sent();
    ASSERT_EQ(created.size(), 1U);
    EXPECT_EQ(created[0].topic, "ORDER_CREATED");
    EXPECT_EQ(created[0].header("ce_correlationid"), "mine");
    EXPECT_EQ(created[0].header("ce_causationid"), "mine");
    EXPECT_EQ(created[0].header("traceparent"), calls.origin.context.traceparent);
    EXPECT_EQ(created[0].header("tracestate"), "a=b");
    const std::string answer = reserve(
        path,
        {{"ce_correlationid", "mine"}, {"traceparent", "another span"}, {"tracestate", "c=d"}});
    const auto confirmed = sent();
    ASSERT_EQ(confirmed.size(), 1U);
    EXPECT_EQ(confirmed[0].topic, "ORDER_STATUS_UPDATED");
    EXPECT_EQ(confirmed[0].header("ce_correlationid"), "mine");
    EXPECT_EQ(confirmed[0].header("ce_causationid"), answer);
    EXPECT_EQ(confirmed[0].header("traceparent"), "another span");
    EXPECT_EQ(confirmed[0].header("tracestate"), "c=d");
}

INSTANTIATE_TEST_SUITE_P(Databases, OrderApplication, ::testing::ValuesIn(testing::databases),
                         [](const auto& kind) { return kind.param; });

}  // namespace
}  // namespace trackops::order
