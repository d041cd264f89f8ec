// The whole relay service on the embedded bus: committed rows go in, messages and responses come
// out.
#include "event_relay/module.hpp"

#include <array>

#include <gtest/gtest.h>

#include "platform/backends/migrate_and_grant.hpp"
#include "platform/backends/open_bus.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/bus/bus.hpp"
#include "platform/http/raw_client.hpp"
#include "platform/http/rows_for_tests.hpp"
#include "platform/outbox/event.hpp"
#include "platform/outbox/grants.hpp"
#include "platform/outbox/migrations.hpp"
#include "platform/runtime/system_clock.hpp"
#include "platform/sql/migrations.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/database_with_roles.hpp"
#include "testing/databases.hpp"

namespace trackops::event_relay {
namespace {

using Answer = http::RawClient::Answer;

class RelayModule : public ::testing::TestWithParam<std::string> {
protected:
    // Creates the outbox, as the order service does when it starts.
    void make_schema() { sql::migrate(*database, "outbox", outbox::migrations); }
    void commit(std::int64_t sequence) {
        const outbox::Event event{.id = ids.next(),
                                  .type = "ORDER_CREATED",
                                  .key = order,
                                  .sequence = sequence,
                                  .payload = "{}",
                                  .occurred_at = clock.now()};
        const auto tx = database->begin(sql::Access::write);
        outbox::append(*tx, std::span(&event, 1));
        tx->commit();
    }
    // Returns the next message, or nothing after a long time.
    std::string next() {
        const auto messages = received->poll(1, std::chrono::seconds(20));
        if (messages.empty()) return "nothing came";
        return messages[0].topic + " " + std::string(messages[0].header("ce_sequence"));
    }
    static Answer ask(const Module& module, std::string_view call) {
        http::RawClient client(module.port());
        return client.ask(std::string(call) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }

    const std::vector<std::string> topics{"ORDER_CREATED"};
    runtime::SystemClock clock;
    runtime::RandomIds ids{clock};
    telemetry::Registry metrics;
    testing::TemporaryFolder folder;
    testing::FreshDatabase fresh{GetParam()};
    std::unique_ptr<sql::Database> database = backends::open_database(fresh.url(), {}, metrics);
    std::unique_ptr<bus::Bus> bus =
        backends::open_bus("embedded:" + folder.path(), {}, clock, metrics);
    const Uuid order = ids.next();
    std::unique_ptr<bus::Subscription> received;
};
INSTANTIATE_TEST_SUITE_P(Databases, RelayModule, ::testing::ValuesIn(testing::databases));

TEST_P(RelayModule, MovesCommittedEventsToTheBusAndSaysSo) {
    make_schema();
    bus->ensure_topics(topics);
    received = bus->subscribe("test", topics);
    Module module({.database_url = fresh.url(), .port = 0, .relay = {}}, clock, ids, *bus, metrics);
    module.start();
    commit(1);
    commit(2);
    module.wake();
    EXPECT_EQ(next(), "ORDER_CREATED 1");
    EXPECT_EQ(next(), "ORDER_CREATED 2");
    const Answer health = ask(module, "GET /actuator/health");
    EXPECT_EQ(health.status, 200) << health.body;
    for (const auto* component : {"\"db\"", "\"bus\"", "\"relay\""}) {
        EXPECT_NE(health.body.find(component), std::string::npos) << health.body;
    }
    // A consumer can see a message before the relay gets its acknowledgement.
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    std::string status;
    do {
        status = ask(module, "GET /api/relay/status").body;
    } while (status.find("\"publishedTotal\":2") == std::string::npos &&
             std::chrono::steady_clock::now() < give_up);
    EXPECT_NE(status.find("\"publishedTotal\":2"), std::string::npos) << status;
    EXPECT_NE(ask(module, "GET /actuator/prometheus").body.find("trackops_relay_backlog_events"),
              std::string::npos);
    module.stop(std::chrono::seconds(2));
    module.stop(std::chrono::seconds(2));
}

TEST_P(RelayModule, WaitsForASchemaThatIsNotItsOwn) {
    Module module({.database_url = fresh.url(), .port = 0, .relay = {}}, clock, ids, *bus, metrics);
    module.start();
    const Answer waiting = ask(module, "GET /actuator/health/readiness");
    EXPECT_EQ(waiting.status, 503);
    EXPECT_NE(waiting.body.find("waiting for the outbox"), std::string::npos) << waiting.body;
    EXPECT_EQ(ask(module, "GET /actuator/health/liveness").status, 200);
    EXPECT_EQ(ask(module, "GET /api/relay/status").status, 503);
    EXPECT_EQ(ask(module, "GET /api/relay/events").status, 503);
    bus->ensure_topics(topics);
    received = bus->subscribe("test", topics);
    make_schema();
    commit(1);
    EXPECT_EQ(next(), "ORDER_CREATED 1");
    // Health caches its result for a second; the status does not.
    EXPECT_EQ(ask(module, "GET /api/relay/status").status, 200);
}

TEST_P(RelayModule, ServesTheRowsOfItsTable) {
    Module module({.database_url = fresh.url(), .port = 0, .relay = {}}, clock, ids, *bus, metrics);
    module.start();
    // 405 names the methods of a path that is served, 404 is for all others.
    for (const http::Route& row : route_table()) {
        const Answer answer = ask(module, "BREW " + http::path_of(row));
        EXPECT_EQ(answer.status, 405) << row.pattern;
        EXPECT_TRUE(answer.header("Allow").contains(row.method)) << row.pattern;
    }
}

TEST(RelayRouteTable, HoldsAtTheEdge) { http::expect_rows_hold(route_table()); }

// The tables are there, and the owner has not granted the relay's role its rights yet.
TEST(RelayModuleWithRoles, AnswersUnavailableWhileItsGrantsAreMissing) {
    const testing::DatabaseWithRoles roles;
    telemetry::Registry metrics;
    const runtime::SystemClock clock;
    runtime::RandomIds ids{clock};
    const testing::TemporaryFolder folder;
    const auto bus = backends::open_bus("embedded:" + folder.path(), {}, clock, metrics);
    const auto owner = backends::open_database(roles.url_as("owner"), {}, metrics);
    const std::array components{backends::Component{"outbox", outbox::migrations}};
    backends::migrate_and_grant(*owner, "", components, {}, metrics);
    Module module({.database_url = roles.url_as("relay"), .port = 0, .relay = {}}, clock, ids, *bus,
                  metrics);
    module.start();
    const auto ask = [&module] {
        return http::RawClient(module.port())
            .ask("GET /api/relay/status HTTP/1.1\r\nHost: localhost\r\n\r\n");
    };
    EXPECT_EQ(ask().status, 503);
    backends::migrate_and_grant(*owner, "", components, outbox::grants, metrics);
    EXPECT_EQ(ask().status, 200);
}

TEST_P(RelayModule, GoesOnWhereItStopped) {
    make_schema();
    bus->ensure_topics(topics);
    received = bus->subscribe("test", topics);
    for (int sequence = 1; sequence <= 3; ++sequence) {
        commit(sequence);
        Module module({.database_url = fresh.url(), .port = 0, .relay = {}}, clock, ids, *bus,
                      metrics);
        module.start();
        EXPECT_EQ(next(), "ORDER_CREATED " + std::to_string(sequence));
    }
    EXPECT_TRUE(received->poll(1, Duration::zero()).empty());
}

}  // namespace
}  // namespace trackops::event_relay
