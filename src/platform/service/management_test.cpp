#include "platform/service/management.hpp"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/http/raw_client.hpp"
#include "platform/runtime/pump_threads.hpp"
#include "platform/service/disk_space.hpp"
#include "platform/service/host.hpp"
#include "platform/service/sampler.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"
#include "testing/fakes.hpp"

namespace trackops::service {
namespace {

using std::chrono::milliseconds;
using telemetry::ComponentHealth;
using telemetry::Status;
using ::testing::HasSubstr;
using ::testing::Not;

http::RawClient::Answer get(std::uint16_t port, const std::string& path,
                            const std::string& host = "localhost") {
    return http::RawClient(port).ask("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
}

// A component that stands still until the test thaws it.
class Frozen {
public:
    ~Frozen() { thaw(); }
    telemetry::Component component() {
        return {.name = "db",
                .ask =
                    [thawed = thawed_.get_future().share()] {
                        thawed.wait();
                        return ComponentHealth{};
                    },
                .answer_within = milliseconds(10)};
    }
    void thaw() {
        if (!std::exchange(is_thawed_, true)) thawed_.set_value();
    }

private:
    std::promise<void> thawed_;
    bool is_thawed_ = false;
};

class OneRoute final : public Application {
public:
    explicit OneRoute(std::vector<telemetry::Component> components)
        : components_(std::move(components)) {}
    std::string_view name() const override { return "one-service"; }
    std::vector<http::Route> routes() override {
        return {{.method = "GET",
                 .pattern = "/api/one",
                 .scope = http::Scope::everybody,
                 .body = http::Body::none,
                 .answer = http::Answer::text,
                 .idempotency = http::Idempotency::none,
                 .work = http::Work::memory,
                 .handler = [](const http::Request&, const http::Reply& reply) {
                     reply.send({.body = "one"});
                 }}};
    }
    std::vector<telemetry::Component> components() override { return components_; }
    std::vector<runtime::NamedPump> pumps() override { return {}; }

private:
    std::vector<telemetry::Component> components_;
};

class ManagementTest : public ::testing::Test {
protected:
    trackops::testing::FakeClock clock_;
    trackops::testing::SeededIds ids_;
    telemetry::Registry metrics_;
};

TEST_F(ManagementTest, IsServedBesideTheApiAndKnowsTheComponentsFromTheStart) {
    OneRoute application({{"db", [] { return ComponentHealth{}; }}});
    Host host(application, {}, clock_, ids_, metrics_);
    host.start();
    EXPECT_EQ(host.management_port(), 0);
    EXPECT_EQ(get(host.port(), "/api/one").body, "one");
    EXPECT_EQ(get(host.port(), "/actuator/health/readiness").body,
              R"({"status":"UP","components":{"db":{"status":"UP"}}})");
    const auto metrics = get(host.port(), "/actuator/prometheus").body;
    EXPECT_THAT(metrics, HasSubstr("trackops_component_up{component=\"db\"} 1"));
    EXPECT_THAT(metrics, HasSubstr("process_resident_memory_bytes "));
}

TEST_F(ManagementTest, HasAListenerOfItsOwnOnDemand) {
    OneRoute application({{"db", [] { return ComponentHealth{}; }}});
    Host host(application,
              {.edge = {.public_hosts = {"one-service"}},
               .management = {.listen = ListenAddress{"127.0.0.1", 0}}},
              clock_, ids_, metrics_);
    host.start();
    EXPECT_EQ(get(host.port(), "/api/one").status, 200);
    EXPECT_EQ(get(host.port(), "/actuator/health").status, 404);
    EXPECT_EQ(get(host.management_port(), "/api/one").status, 404);
    EXPECT_EQ(get(host.management_port(), "/actuator/health").status, 200);
    EXPECT_EQ(get(host.management_port(), "/actuator/health", "one-service:9000").status, 200);
    EXPECT_EQ(get(host.management_port(), "/actuator/health", "evil.example").status, 421);
    // It shows what the API's server counts, and not itself.
    const auto metrics = get(host.management_port(), "/actuator/prometheus").body;
    EXPECT_THAT(metrics, HasSubstr("uri=\"/api/one\"} 1"));
    EXPECT_THAT(metrics, Not(HasSubstr("uri=\"/actuator/health\"")));
}

TEST_F(ManagementTest, SaysWhenOthersCanReachItWithoutALogin) {
    OneRoute application({{"db", [] { return ComponentHealth{}; }}});
    Host host(application, {.management = {.access_warning = "everybody may"}}, clock_, ids_,
              metrics_);
    host.start();
    EXPECT_THAT(get(host.port(), "/actuator/info").body,
                HasSubstr(R"("access":{"warning":"everybody may"})"));
    EXPECT_THAT(get(host.port(), "/actuator/health").body,
                HasSubstr(R"("access":{"status":"UP","details":{"warning":"everybody may"}})"));
    EXPECT_THAT(get(host.port(), "/actuator/health/readiness").body, Not(HasSubstr("access")));
}

TEST_F(ManagementTest, SaysNothingOfAccessOnLoopback) {
    OneRoute application({{"db", [] { return ComponentHealth{}; }}});
    Host host(application, {}, clock_, ids_, metrics_);
    host.start();
    EXPECT_THAT(get(host.port(), "/actuator/info").body, Not(HasSubstr("access")));
    EXPECT_THAT(get(host.port(), "/actuator/health").body, Not(HasSubstr("access")));
}

TEST_F(ManagementTest, OneFrozenComponentMakesOnlyItselfDown) {
    Frozen frozen;
    OneRoute application({frozen.component(), {"bus", [] { return ComponentHealth{}; }, false}});
    Host host(application, {}, clock_, ids_, metrics_);
    host.start();  // waits a second for the frozen one, and no longer
    const auto health = get(host.port(), "/actuator/health");
    EXPECT_EQ(health.status, 503);
    EXPECT_THAT(health.body,
                HasSubstr(R"("db":{"status":"DOWN","details":{"error":"no answer for )"));
    EXPECT_THAT(health.body, HasSubstr(R"("bus":{"status":"UP"})"));
    EXPECT_EQ(get(host.port(), "/actuator/health/readiness").status, 503);
    EXPECT_THAT(get(host.port(), "/actuator/prometheus").body,
                HasSubstr("trackops_component_up{component=\"db\"} 0"));
    frozen.thaw();
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (get(host.port(), "/actuator/health/readiness").status != 200)
        ASSERT_LT(std::chrono::steady_clock::now(), give_up);
}

TEST_F(ManagementTest, ShowsItsPumpsAndSettings) {
    OneRoute application({{"db", [] { return ComponentHealth{}; }}});
    Host host(application, {.management = {.settings = {{"port", "0", "flag"}}}}, clock_, ids_,
              metrics_);
    host.start();
    const auto pumps = get(host.port(), "/actuator/pumps").body;
    EXPECT_THAT(pumps, HasSubstr(R"({"name":"health-db","state":")"));
    EXPECT_THAT(pumps, HasSubstr(R"({"name":"process","state":")"));
    EXPECT_THAT(get(host.port(), "/actuator/env/port").body, HasSubstr(R"("value":"0")"));
}

TEST_F(ManagementTest, MetricsOutliveTheService) {
    {
        OneRoute application({{"db", [] { return ComponentHealth{}; }}});
        Host host(application, {}, clock_, ids_, metrics_);
    }
    EXPECT_THAT(metrics_.prometheus_text(), HasSubstr("trackops_component_up"));
}

TEST(ListenAddress, IsAHostWithAPort) {
    const auto parsed = [](std::string_view text) -> std::string {
        const auto address = ListenAddress::parse(text);
        return address ? address->host + " " + std::to_string(address->port) : "-";
    };
    EXPECT_EQ(parsed("127.0.0.1:9090"), "127.0.0.1 9090");
    EXPECT_EQ(parsed("[::1]:0"), "::1 0");
    EXPECT_EQ(parsed("localhost:65535"), "localhost 65535");
    for (const auto* text : {"", ":", ":1", "localhost", "localhost:", "localhost:x", "a:65536",
                             "::1:80", "[]:1", "a:1 ", "a:-1"})
        EXPECT_EQ(parsed(text), "-") << text;
}

TEST(Sampler, AsksASlowComponentLessOften) {
    EXPECT_EQ(Sampler::interval_after(milliseconds(0)), std::chrono::seconds(1));
    EXPECT_EQ(Sampler::interval_after(milliseconds(50)), std::chrono::seconds(1));
    EXPECT_EQ(Sampler::interval_after(milliseconds(60)), milliseconds(1200));
    EXPECT_EQ(Sampler::interval_after(std::chrono::seconds(2)), milliseconds(2500));
    EXPECT_LT(Sampler::interval_max + telemetry::Component{}.answer_within,
              std::chrono::seconds(5));
}

TEST(DiskSpace, IsDownBelowItsThreshold) {
    const trackops::testing::TemporaryFolder folder;
    const auto enough = disk_space_component(folder.path(), 1).ask();
    EXPECT_EQ(enough.status, Status::up);
    ASSERT_EQ(enough.details.size(), 4U);
    EXPECT_EQ(enough.details[2], std::pair(std::string("threshold"), std::string("1")));
    EXPECT_EQ(disk_space_component(folder.path(), UINT64_MAX).ask().status, Status::down);
    EXPECT_TRUE(disk_space_component(folder.path(), 1).in_readiness);
    EXPECT_ANY_THROW(disk_space_component(folder.path() + "/none", 1).ask());
}

}  // namespace
}  // namespace trackops::service
