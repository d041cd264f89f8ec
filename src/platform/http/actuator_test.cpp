#include "platform/http/actuator.hpp"

#include <atomic>
#include <stdexcept>

#include <gtest/gtest.h>

#include "platform/http/raw_client.hpp"
#include "platform/http/server.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/fakes.hpp"

namespace trackops::http {
namespace {

using telemetry::ComponentHealth;
using telemetry::Status;

class ActuatorTest : public ::testing::Test {
protected:
    void start(std::vector<telemetry::Component> components,
               const SteadyNow& now = std::chrono::steady_clock::now) {
        server_ = make_server(
            {}, actuator_routes({"order-service", "1.2.3"}, std::move(components), metrics_, now),
            clock_, ids_, metrics_);
        server_->start();
    }
    RawClient::Answer get(const std::string& path, const std::string& accept = "*/*") {
        return RawClient(server_->port())
            .ask("GET " + path + " HTTP/1.1\r\nHost: localhost:8080\r\nAccept: " + accept +
                 "\r\n\r\n");
    }

    trackops::testing::FakeClock clock_;
    trackops::testing::SeededIds ids_;
    telemetry::Registry metrics_;
    std::unique_ptr<Server> server_;
};

TEST_F(ActuatorTest, SaysWhatEachComponentSaid) {
    start({{"db", [] { return ComponentHealth{.details = {{"database", "SQLite"}}}; }},
           {"bus", []() -> ComponentHealth { throw std::runtime_error("broker away"); }},
           {"cache", [] { return ComponentHealth{Status::out_of_service}; }, false}});
    const auto all = get("/actuator/health");
    EXPECT_EQ(all.status, 503);
    EXPECT_EQ(all.header("Content-Type"), "application/vnd.spring-boot.actuator.v3+json");
    EXPECT_EQ(
        all.body,
        R"({"status":"DOWN","components":{"db":{"status":"UP","details":{"database":"SQLite"}},)"
        R"("bus":{"status":"DOWN","details":{"error":"broker away"}},"cache":{"status":"OUT_OF_SERVICE"}}})");
    const auto one = get("/actuator/health/db", "application/json");
    EXPECT_EQ(one.status, 200);
    EXPECT_EQ(one.header("Content-Type"), "application/json");
    EXPECT_EQ(one.body, R"({"status":"UP","details":{"database":"SQLite"}})");
    EXPECT_EQ(get("/actuator/health/bus").status, 503);
    EXPECT_EQ(get("/actuator/health/other").status, 404);
    EXPECT_EQ(get("/actuator/health/liveness").body, R"({"status":"UP"})");
}

TEST_F(ActuatorTest, ReadinessAsksOnlyWhoBelongsToIt) {
    start({{"db", [] { return ComponentHealth{}; }},
           {"cache", [] { return ComponentHealth{Status::down}; }, false}});
    const auto ready = get("/actuator/health/readiness");
    EXPECT_EQ(ready.status, 200);
    EXPECT_EQ(ready.body, R"({"status":"UP","components":{"db":{"status":"UP"}}})");
    EXPECT_EQ(get("/actuator/health").status, 503);
}

TEST_F(ActuatorTest, CachesComponentHealthAndAsksNoComponentForLiveness) {
    std::atomic<int> asked = 0;
    start({{"db", [&] { return ++asked, ComponentHealth{}; }}});
    get("/actuator/health/liveness");
    EXPECT_EQ(asked, 0);
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(get(i % 2 == 0 ? "/actuator/health" : "/actuator/health/db").status, 200);
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begun)
            .count();
    EXPECT_LE(asked, 1 + seconds);  // at most once a second, also on a slow machine
}

TEST_F(ActuatorTest, AsksAComponentAgainAfterASecond) {
    std::atomic<int> asked = 0;
    std::atomic<std::chrono::milliseconds> passed{std::chrono::milliseconds(0)};
    start({{"db", [&] { return ++asked, ComponentHealth{asked < 3 ? Status::up : Status::down}; }}},
          [&] { return std::chrono::steady_clock::time_point(passed.load()); });
    EXPECT_EQ(get("/actuator/health").status, 200);
    passed = std::chrono::milliseconds(999);
    EXPECT_EQ(get("/actuator/health/db").status, 200);
    EXPECT_EQ(asked, 1);
    passed = std::chrono::milliseconds(1000);
    EXPECT_EQ(get("/actuator/health/readiness").status, 200);
    EXPECT_EQ(asked, 2);
    // The second counts from the last answer.
    passed = std::chrono::milliseconds(1999);
    EXPECT_EQ(get("/actuator/health").status, 200);
    passed = std::chrono::milliseconds(2000);
    EXPECT_EQ(get("/actuator/health").status, 503);
    EXPECT_EQ(asked, 3);
}

TEST_F(ActuatorTest, ShowsInfoMetricsAndWhereTheRestIs) {
    start({});
    EXPECT_EQ(get("/actuator/info").body, R"({"app":{"name":"order-service","version":"1.2.3"}})");
    const auto metrics = get("/actuator/prometheus");
    EXPECT_EQ(metrics.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_NE(metrics.body.find("http_server_requests_seconds_count{exception=\"None\","
                                "method=\"GET\",outcome=\"SUCCESS\",status=\"200\","
                                "uri=\"/actuator/info\"} 1"),
              std::string::npos);
    EXPECT_NE(
        get("/actuator")
            .body.find(
                R"("health":{"href":"http://localhost:8080/actuator/health","templated":false})"),
        std::string::npos);
}

}  // namespace
}  // namespace trackops::http
