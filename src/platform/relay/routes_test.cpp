#include "platform/relay/routes.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "platform/json/reader.hpp"
#include "platform/outbox/outbox_for_tests.hpp"
#include "platform/relay/health.hpp"
#include "platform/relay/poll_source.hpp"
#include "platform/relay/relay.hpp"
#include "platform/relay/routes_for_tests.hpp"

namespace trackops::relay {
namespace {

using bus::Delivery;

// A bus that gives every message the delivery result that the test sets.
class RefusingBus final : public bus::Bus {
public:
    Delivery answer = Delivery::acknowledged;

    void ensure_topics(std::span<const std::string>) override {}
    std::unique_ptr<bus::Publisher> publisher() override {
        class Refusing final : public bus::Publisher {
        public:
            explicit Refusing(RefusingBus& bus) : bus_(bus) {}
            std::vector<Delivery> publish(std::span<const bus::OutgoingMessage> messages) override {
                return std::vector<Delivery>(messages.size(), bus_.answer);
            }

        private:
            RefusingBus& bus_;
        };
        return std::make_unique<Refusing>(*this);
    }
    std::unique_ptr<bus::Subscription> subscribe(std::string_view,
                                                 std::span<const std::string>) override {
        return nullptr;
    }
    void ping() override {}
    std::vector<bus::TopicState> state(std::string_view) override { return {}; }
};

class RelayRoutes : public ::testing::Test {
protected:
    http::Response ask(std::string_view method, std::string_view pattern, Query query = {},
                       Query params = {}) {
        return relay::ask(routes_, method, pattern, std::move(query), std::move(params));
    }
    http::Response list(Query query) { return ask("GET", "/api/relay/events", std::move(query)); }
    // Retries an event, and runs the relay until the response arrives.
    http::Response retry(const std::string& id) {
        http::Response response;
        std::atomic<bool> is_answered = false;
        std::thread operator_at_work([&] {
            response = ask("POST", "/api/relay/events/{id}/retry", {}, {{"id", id}});
            is_answered = true;
        });
        while (!is_answered) {
            run();
            std::this_thread::yield();
        }
        operator_at_work.join();
        return response;
    }
    void run() { relay_.run(Duration::zero()); }
    static std::string field(const http::Response& response, std::string_view name) {
        const auto document = json::Document::parse(response.body);
        EXPECT_TRUE(document) << response.body;
        if (!document) return {};
        const auto value = document->root().find(name);
        return value ? value->minified() : "absent";
    }
    // Returns the pointers of a problem's field errors.
    static std::vector<std::string> faults(const http::Response& response) {
        std::vector<std::string> pointers;
        const auto document = json::Document::parse(response.body);
        const auto errors = document->root().find("errors");
        if (!errors) return pointers;
        errors->each_element([&](std::size_t, json::Value fault) {
            pointers.emplace_back(*fault.find("pointer")->text());
        });
        return pointers;
    }

    outbox::OutboxFixture outbox_{"sqlite"};
    testing::FakeClock clock_{outbox::noon + std::chrono::seconds(2)};
    RefusingBus bus_;
    Relay relay_{*outbox_.database,
                 make_poll_source(*outbox_.database),
                 bus_,
                 clock_,
                 RelayOptions{.holder = "one"},
                 outbox_.metrics};
    const std::vector<http::Route> routes_ = relay_routes(relay_);
};

TEST_F(RelayRoutes, SaysHowTheRelayIs) {
    outbox_.commit("a1 a2");
    const http::Response status = ask("GET", "/api/relay/status");
    EXPECT_EQ(status.status, 200);
    EXPECT_EQ(status.body,
              R"({"source":"poll","active":false,"paused":false,"position":"0","backlog":2,)"
              R"("oldestAgeMs":2000,"parkedEvents":0,"parkedKeys":0,"publishedTotal":0,)"
              R"("eventsPerSecond":0})");
    bus_.answer = Delivery::unavailable;
    run();
    EXPECT_NE(field(ask("GET", "/api/relay/status"), "lastError"), "absent");
    EXPECT_EQ(field(ask("GET", "/api/relay/status"), "active"), "true");
    EXPECT_EQ(ask("GET", "/api/relay/status", {{"x", "1"}}).status, 422);
}

TEST_F(RelayRoutes, ListsWhatIsNotPublishedPageByPage) {
    outbox_.commit("a1 b1 a2");
    const http::Response first = list({{"limit", "2"}});
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(field(first, "nextCursor"), "\"2\"");
    ASSERT_EQ(first.headers.size(), 1U);
    EXPECT_EQ(first.headers[0].second, "</api/relay/events?limit=2&cursor=2>; rel=\"next\"");
    EXPECT_NE(
        first.body.find(R"("sequence":1,"position":1,)"
                        R"("occurredAt":"2023-11-14T22:13:20.000000Z","state":"UNPUBLISHED"})"),
        std::string::npos)
        << first.body;
    const http::Response second = list({{"limit", "2"}, {"cursor", "2"}});
    EXPECT_EQ(field(second, "nextCursor"), "null");
    EXPECT_NE(second.body.find("\"position\":3"), std::string::npos);
    EXPECT_EQ(second.body.find("\"position\":2"), std::string::npos);
}

TEST_F(RelayRoutes, ListsWhatIsParkedWithItsReason) {
    outbox_.commit("a1 a2");
    bus_.answer = Delivery::refused;
    run();
    const http::Response parked = list({{"state", "parked"}});
    EXPECT_NE(parked.body.find(R"("state":"PARKED","reason":)"), std::string::npos) << parked.body;
    EXPECT_NE(parked.body.find(R"("state":"WAITING","parkedAt":)"), std::string::npos);
    EXPECT_EQ(field(list({}), "items"), "[]");
}

TEST_F(RelayRoutes, NamesEveryFaultOfAQuery) {
    const http::Response bad =
        list({{"state", "lost"}, {"limit", "501"}, {"cursor", "x"}, {"colour", "red"}});
    EXPECT_EQ(bad.status, 422);
    EXPECT_EQ(faults(bad).size(), 4U) << bad.body;
    for (const auto* limit : {"0", "-1", "1x", "99999999999999999999"}) {
        EXPECT_EQ(list({{"limit", limit}}).status, 422) << limit;
    }
    EXPECT_EQ(list({{"cursor", "-1"}}).status, 422);
    EXPECT_EQ(list({{"limit", "500"}}).status, 200);
    EXPECT_EQ(list({{"limit", ""}}).status, 200);  // a form sends its empty fields, too
}

TEST_F(RelayRoutes, RetriesAParkedEvent) {
    outbox_.commit("a1 a2");
    bus_.answer = Delivery::refused;
    run();
    const auto parked = relay_.parked(0, 10);
    const std::string first = parked.at(0).event.id.text();
    // Refused again.
    EXPECT_EQ(retry(first).status, 422);
    EXPECT_EQ(retry(parked.at(1).event.id.text()).status, 409);
    EXPECT_EQ(retry(uuid_v7(outbox::noon, 5, 5).text()).status, 404);
    EXPECT_EQ(ask("POST", "/api/relay/events/{id}/retry", {}, {{"id", "7"}}).status, 422);
    bus_.answer = Delivery::unavailable;
    EXPECT_EQ(retry(first).status, 503);
    bus_.answer = Delivery::acknowledged;
    const http::Response done = retry(first);
    EXPECT_EQ(done.status, 200);
    EXPECT_EQ(done.body, R"({"id":")" + first + R"(","state":"PUBLISHED"})");
    EXPECT_TRUE(relay_.parked(0, 10).empty());
}

TEST_F(RelayRoutes, PausesAndResumes) {
    EXPECT_EQ(ask("POST", "/api/relay/pause").body, R"({"paused":true})");
    EXPECT_TRUE(relay_.status().paused);
    EXPECT_EQ(ask("POST", "/api/relay/resume").body, R"({"paused":false})");
    EXPECT_FALSE(relay_.status().paused);
}

TEST_F(RelayRoutes, TellsAStalledRelayFromAnIdleOne) {
    const telemetry::Component component = health_component(relay_);
    const auto state = [&] { return component.ask().details.at(0).second; };
    EXPECT_EQ(state(), "standby");
    run();
    EXPECT_EQ(state(), "idle");
    bus_.answer = Delivery::unavailable;
    outbox_.commit("a1");
    run();
    EXPECT_EQ(state(), "publishing");
    clock_.advance(std::chrono::seconds(31));
    run();
    EXPECT_EQ(state(), "stalled");
    EXPECT_EQ(component.ask().status, telemetry::Status::down);
    EXPECT_EQ(component.ask().details.back().first, "lastError");
    bus_.answer = Delivery::acknowledged;
    run();
    EXPECT_EQ(state(), "idle");
    EXPECT_EQ(component.ask().status, telemetry::Status::up);
    relay_.pause();
    EXPECT_EQ(state(), "paused");
}

}  // namespace
}  // namespace trackops::relay
