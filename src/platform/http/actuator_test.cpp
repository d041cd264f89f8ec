#include "platform/http/actuator.hpp"

#include <atomic>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/build.hpp"
#include "platform/http/actuator_metrics.hpp"
#include "platform/http/identifier.hpp"
#include "platform/http/raw_client.hpp"
#include "platform/http/server.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/fakes.hpp"

namespace trackops::http {
namespace {

using telemetry::Component;
using telemetry::ComponentHealth;
using telemetry::SampledComponent;
using telemetry::SampledComponents;
using telemetry::Status;
using ::testing::HasSubstr;
using ::testing::Not;

class ActuatorTest : public ::testing::Test {
protected:
    // Asks each component once.
    void start(std::vector<Component> components, Identifier* identifier = nullptr) {
        auto sampled = std::make_shared<SampledComponents>();
        for (auto& component : components) {
            sampled->push_back(std::make_unique<SampledComponent>(std::move(component)));
            sampled->back()->sample();
        }
        sampled_ = sampled;
        server_ = make_server({.edge = {.identifier = identifier}},
                              actuator_routes({"order-service", sampled_, metrics_,
                                               [this] { return takes_traffic_.load(); }}),
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
    std::atomic<bool> takes_traffic_ = true;
    std::shared_ptr<SampledComponents> sampled_;
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
        R"({"status":"DOWN","groups":["liveness","readiness"],"components":{)"
        R"("db":{"status":"UP","details":{"database":"SQLite"}},)"
        R"("bus":{"status":"DOWN","details":{"error":"broker away"}},"cache":{"status":"OUT_OF_SERVICE"}}})");
    const auto one = get("/actuator/health/db", "application/json");
    EXPECT_EQ(one.status, 200);
    EXPECT_EQ(one.header("Content-Type"), "application/json");
    EXPECT_EQ(one.body, R"({"status":"UP","details":{"database":"SQLite"}})");
    EXPECT_EQ(get("/actuator/health/bus").status, 503);
    EXPECT_EQ(get("/actuator/health/other").status, 404);
    EXPECT_EQ(get("/actuator/health/liveness").body, R"({"status":"UP"})");
}

// Every caller is a stranger.
class Strangers final : public Identifier {
public:
    std::shared_ptr<const Principal> identify(const Request&) override { return nobody(); }
};

TEST_F(ActuatorTest, ShowsAStrangerNothingButWhetherItServes) {
    Strangers strangers;
    start({{"db", [] { return ComponentHealth{.details = {{"database", "SQLite"}}}; }}},
          &strangers);
    EXPECT_EQ(get("/actuator/health/liveness").body, R"({"status":"UP"})");
    EXPECT_EQ(get("/actuator/health/readiness").body, R"({"status":"UP"})");
    takes_traffic_ = false;
    EXPECT_EQ(get("/actuator/health/readiness").status, 503);
    for (const char* path : {"", "/health", "/health/db", "/health/readiness/db", "/info",
                             "/metrics", "/metrics/process.open.fds", "/prometheus"}) {
        const auto refused = get(std::string("/actuator") + path);
        EXPECT_EQ(refused.status, 401) << path;
        EXPECT_EQ(refused.header("WWW-Authenticate"), R"(Bearer realm="trackops")") << path;
    }
}

TEST_F(ActuatorTest, TheWholeIsAsBadAsItsWorstComponent) {
    start({{"a", [] { return ComponentHealth{Status::out_of_service}; }},
           {"b", [] { return ComponentHealth{}; }}});
    EXPECT_THAT(get("/actuator/health").body, HasSubstr(R"({"status":"OUT_OF_SERVICE","groups")"));
    EXPECT_EQ(get("/actuator/health").status, 503);
}

TEST_F(ActuatorTest, ReadinessIsThatOfItsOwnComponents) {
    start({{"db", [] { return ComponentHealth{}; }},
           {"cache", [] { return ComponentHealth{Status::down}; }, false}});
    const auto ready = get("/actuator/health/readiness");
    EXPECT_EQ(ready.status, 200);
    EXPECT_EQ(ready.body, R"({"status":"UP","components":{"db":{"status":"UP"}}})");
    EXPECT_EQ(get("/actuator/health").status, 503);
    EXPECT_EQ(get("/actuator/health/readiness/db").body, R"({"status":"UP"})");
    EXPECT_EQ(get("/actuator/health/readiness/cache").status, 404);
    EXPECT_EQ(get("/actuator/health/liveness/db").status, 404);
    EXPECT_EQ(get("/actuator/health/other/db").status, 404);
}

TEST_F(ActuatorTest, AServiceThatStopsIsNotReadyButAlive) {
    start({{"db", [] { return ComponentHealth{}; }}});
    takes_traffic_ = false;
    const auto ready = get("/actuator/health/readiness");
    EXPECT_EQ(ready.status, 503);
    EXPECT_EQ(ready.body, R"({"status":"OUT_OF_SERVICE","components":{"db":{"status":"UP"}}})");
    EXPECT_EQ(get("/actuator/health/liveness").status, 200);
}

TEST_F(ActuatorTest, NoRequestAsksAComponent) {
    std::atomic<int> asked = 0;
    start(
        {{"db", [&] { return ++asked, ComponentHealth{asked == 1 ? Status::up : Status::down}; }}});
    for (const auto* path : {"/actuator/health", "/actuator/health/db", "/actuator/health/liveness",
                             "/actuator/health/readiness", "/actuator/prometheus"})
        EXPECT_EQ(get(path).status, 200) << path;
    EXPECT_EQ(asked, 1);
    sampled_->front()->sample();
    EXPECT_EQ(get("/actuator/health").status, 503);
}

TEST_F(ActuatorTest, ShowsInfoMetricsAndWhereTheRestIs) {
    start({});
    const auto info = get("/actuator/info").body;
    EXPECT_THAT(info, HasSubstr(R"({"app":{"name":"order-service","version":")" +
                                std::string(version) + R"("},"build":{)"));
    EXPECT_THAT(info, HasSubstr(R"("compiler":")"));
    const std::string git = R"("git":{"commit":{"id":")" + std::string(commit()) + "\"}}";
    EXPECT_EQ(info.find(git) != std::string::npos, commit() != "unknown");
    EXPECT_EQ(info.find("\"git\"") != std::string::npos, commit() != "unknown");
    const auto metrics = get("/actuator/prometheus");
    EXPECT_EQ(metrics.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_THAT(metrics.body, HasSubstr("http_server_requests_seconds_count{exception=\"None\","
                                        "method=\"GET\",outcome=\"SUCCESS\",status=\"200\","
                                        "uri=\"/actuator/info\"} 1"));
    const auto index = get("/actuator").body;
    EXPECT_THAT(
        index,
        HasSubstr(
            R"("health":{"href":"http://localhost:8080/actuator/health","templated":false})"));
    // The authority of an absolute target replaces Host.
    EXPECT_THAT(RawClient(server_->port())
                    .ask("GET http://localhost:1/actuator HTTP/1.1\r\nHost: evil.example\r\n\r\n")
                    .body,
                HasSubstr("http://localhost:1/actuator/health"));
    EXPECT_THAT(index, HasSubstr(R"("metrics-requiredMetricName":{)"));
}

TEST_F(ActuatorTest, ListsTheNamesOfTheMetrics) {
    metrics_.histogram("trackops_a_seconds", "A.");
    metrics_.counter("trackops_b_total", "B.");
    start({});
    const auto names = get("/actuator/metrics");
    EXPECT_EQ(names.header("Content-Type"), "application/vnd.spring-boot.actuator.v3+json");
    EXPECT_THAT(names.body, HasSubstr(R"("trackops.a","trackops.b"]})"));
}

TEST_F(ActuatorTest, ShowsOneMetricAsMicrometerDoes) {
    const auto timer = [&](const char* method, const char* uri) -> telemetry::Histogram& {
        return metrics_.histogram("trackops_a_seconds", "Time of A.",
                                  {{"method", method}, {"uri", uri}});
    };
    timer("GET", "/x").observe(0.5);
    timer("GET", "/x").observe(1.5);
    timer("POST", "/x").observe(0.25);
    timer("POST", "/y").observe(0.25);
    metrics_.counter("trackops_b_total", "B.").add(3);
    metrics_.gauge("trackops_c_bytes", "C.").set(7);
    start({});
    EXPECT_EQ(
        get("/actuator/metrics/trackops_a_seconds").body,
        R"({"name":"trackops.a","description":"Time of A.","baseUnit":"seconds",)"
        R"("measurements":[{"statistic":"COUNT","value":4},{"statistic":"TOTAL_TIME","value":2.5}],)"
        R"("availableTags":[{"tag":"method","values":["GET","POST"]},)"
        R"({"tag":"uri","values":["/x","/y"]}]})");
    EXPECT_THAT(get("/actuator/metrics/trackops.a?tag=method:POST&tag=uri:/y").body,
                HasSubstr(R"([{"statistic":"COUNT","value":1},)"
                          R"({"statistic":"TOTAL_TIME","value":0.25}],"availableTags":[]})"));
    EXPECT_THAT(get("/actuator/metrics/trackops.b").body,
                HasSubstr(R"("measurements":[{"statistic":"COUNT","value":3}])"));
    EXPECT_THAT(
        get("/actuator/metrics/trackops_c_bytes").body,
        HasSubstr(R"("baseUnit":"bytes","measurements":[{"statistic":"VALUE","value":7}])"));
    EXPECT_EQ(get("/actuator/metrics/trackops_a_seconds?tag=method:PUT").status, 404);
    EXPECT_EQ(get("/actuator/metrics/trackops_z").status, 404);
    EXPECT_EQ(get("/actuator/metrics/trackops_b_total?tag=method").status, 422);
    EXPECT_EQ(get("/actuator/metrics/trackops_b_total?other=1").status, 422);
}

// A gauge and a counter may share Micrometer's name; then each is found by a name of its own.
TEST_F(ActuatorTest, ListsNamesThatLeadToTheirMetrics) {
    metrics_.gauge("trackops_a", "The gauge.");
    metrics_.counter("trackops_a_total", "The counter.");
    metrics_.gauge("process_open_fds", "Files.");
    metrics_.gauge("system_cpus", "CPUs.");
    start({});
    EXPECT_THAT(
        get("/actuator/metrics").body,
        HasSubstr(R"("process.files.open","system.cpu.count","trackops.a","trackops.a.total"])"));
    EXPECT_THAT(get("/actuator/metrics/trackops.a").body, HasSubstr("The gauge."));
    EXPECT_THAT(get("/actuator/metrics/trackops.a.total").body,
                HasSubstr(R"({"name":"trackops.a.total","description":"The counter.")"));
    EXPECT_THAT(get("/actuator/metrics/system.cpu.count").body, HasSubstr("CPUs."));
    EXPECT_EQ(get("/actuator/metrics/process.files.max").status, 404);
}

TEST_F(ActuatorTest, WritesOpenMetricsWithTheTracesOfSampledRequests) {
    start({});
    constexpr auto trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    const auto ask = [&](const std::string& path, const std::string& flags) {
        return RawClient(server_->port())
            .ask("GET " + path + " HTTP/1.1\r\nHost: localhost\r\ntraceparent: 00-" + trace +
                 "-00f067aa0ba902b7-" + flags + "\r\n\r\n");
    };
    ask("/actuator/info", "01");
    ask("/actuator/health/liveness", "00");
    const auto metrics = get("/actuator/prometheus", "application/openmetrics-text");
    EXPECT_EQ(metrics.header("Content-Type"),
              "application/openmetrics-text; version=1.0.0; charset=utf-8");
    EXPECT_THAT(metrics.body, ::testing::ContainsRegex(
                                  "uri=\"/actuator/info\",le=\"[0-9.e+-]+\"\\} 1 # \\{trace_id=\"" +
                                  std::string(trace) + "\"\\} [0-9.e-]+ [0-9.]+\n"));
    EXPECT_THAT(metrics.body, Not(::testing::ContainsRegex("liveness[^\n]*trace_id")));
    EXPECT_THAT(metrics.body, ::testing::EndsWith("# EOF\n"));
}

TEST(Accept, ChoosesOpenMetricsWhereItIsLikedNoLess) {
    EXPECT_TRUE(prefers_openmetrics("application/openmetrics-text"));
    EXPECT_TRUE(prefers_openmetrics(  // Prometheus 2.42
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
        "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
    EXPECT_TRUE(prefers_openmetrics("text/plain;q=0.5, application/openmetrics-text; q=0.5"));
    for (const auto* accept :
         {"", "*/*", "text/plain", "application/json", "application/openmetrics-text;q=0",
          "text/plain, application/openmetrics-text;q=0.9", "application/openmetrics-text;q=x",
          "application/openmetrics-textual", ",;,"})
        EXPECT_FALSE(prefers_openmetrics(accept)) << accept;
}

TEST_F(ActuatorTest, ShowsAndSetsTheLevelsOfLoggers) {
    using telemetry::Level;
    telemetry::configure_log("test", Level::error, true);
    start({});
    const auto post = [&](const std::string& name, const std::string& body) {
        return RawClient(server_->port())
            .ask("POST /actuator/loggers/" + name +
                 " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                 "Content-Length: " +
                 std::to_string(body.size()) + "\r\n\r\n" + body);
    };
    EXPECT_THAT(get("/actuator/loggers").body,
                HasSubstr(R"({"levels":["OFF","ERROR","WARN","INFO","DEBUG"],"loggers":{"ROOT":)"
                          R"({"configuredLevel":"ERROR","effectiveLevel":"ERROR"})"));
    EXPECT_EQ(get("/actuator/loggers/actuator-test").status, 404);
    const auto set = post("actuator-test", R"({"configuredLevel":"DEBUG"})");
    EXPECT_EQ(set.status, 204);
    EXPECT_EQ(get("/actuator/loggers/actuator-test").body,
              R"({"configuredLevel":"DEBUG","effectiveLevel":"DEBUG"})");
    EXPECT_EQ(post("ROOT", R"({"configuredLevel":"INFO"})").status, 204);
    EXPECT_EQ(post("actuator-test", R"({"configuredLevel":null})").status, 204);
    EXPECT_EQ(get("/actuator/loggers/actuator-test").status, 404);
    EXPECT_EQ(get("/actuator/loggers/ROOT").body,
              R"({"configuredLevel":"INFO","effectiveLevel":"INFO"})");
    EXPECT_EQ(post("ROOT", "{}").status, 204);
    EXPECT_THAT(get("/actuator/loggers/ROOT").body, HasSubstr("ERROR"));
    EXPECT_EQ(post("ROOT", R"({"configuredLevel":"LOUD"})").status, 422);
    EXPECT_EQ(post("ROOT", R"({"level":"INFO"})").status, 422);
    EXPECT_EQ(post(std::string(101, 'a'), "{}").status, 422);
    telemetry::configure_log("test", Level::warn, true);
}

TEST_F(ActuatorTest, ShowsSettingsLibrariesAndPumps) {
    const runtime::PumpState busy{.name = "relay",
                                  .is_running = true,
                                  .runs = 7,
                                  .done = 5,
                                  .failures = 1,
                                  .last_error = "away",
                                  .since_last_start = std::chrono::milliseconds(3),
                                  .last_took = std::chrono::microseconds(1500)};
    server_ = make_server(
        {},
        actuator_routes({.service = "order-service",
                         .components = std::make_shared<SampledComponents>(),
                         .metrics = metrics_,
                         .pumps = [&] { return std::vector{busy}; },
                         .settings = {{"port", "0", "flag"}, {"drain", "10s", "default"}},
                         .libraries = {{"sqlite", "3.40.1"}}}),
        clock_, ids_, metrics_);
    server_->start();
    EXPECT_THAT(get("/actuator/env").body,
                HasSubstr(R"({"activeProfiles":[],"propertySources":[{"name":"flag","properties":)"
                          R"({"port":{"value":"0"}}},{"name":"environment","properties":{}},)"));
    EXPECT_THAT(get("/actuator/env").body, HasSubstr(R"("properties":{"PID":{"value":")"));
    EXPECT_THAT(
        get("/actuator/env/drain").body,
        HasSubstr(R"({"property":{"source":"default","value":"10s"},"activeProfiles":[],)"));
    EXPECT_EQ(get("/actuator/env/none").status, 404);
    EXPECT_THAT(get("/actuator/info").body, HasSubstr(R"("libraries":{"sqlite":"3.40.1"})"));
    EXPECT_EQ(get("/actuator/pumps").body,
              R"({"pumps":[{"name":"relay","state":"RUNNING","runs":7,"done":5,"failures":1,)"
              R"("lastError":"away","lastStartMsAgo":3,"lastTookMs":1.5,"nextInMs":0}]})");
}

}  // namespace
}  // namespace trackops::http
