// A client cannot make the server remember more series than a metric may have.
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/http/actuator.hpp"
#include "platform/http/server_fixture.hpp"

namespace trackops::http {
namespace {

class Cardinality : public ServerTest {
protected:
    Cardinality() {
        // Answers /status-a/404 with 404, and so on.
        const auto answer = [](const Request& request, const Reply& reply) {
            reply.json(std::stoi(std::string(request.param("status"))), "{}");
        };
        std::vector<Route> more =
            actuator_routes({"test", std::make_shared<telemetry::SampledComponents>(), metrics_});
        for (const char* pattern :
             {"/status-a/{status}", "/status-b/{status}", "/status-c/{status}"})
            more.push_back(route_for_tests("GET", pattern, answer));
        start({}, std::move(more));
    }
    // Returns the number of series of the metric in an answer of /actuator/prometheus.
    std::size_t series(const std::string& metric) {
        const std::string text = client().ask(get("/actuator/prometheus")).body;
        std::size_t count = 0;
        for (std::size_t at = 0;
             (at = text.find("\n" + metric + "_count{", at)) != std::string::npos; ++at)
            ++count;
        return count;
    }
};

TEST_F(Cardinality, OfRequestsEndsAtTheLimitOfSeries) {
    RawClient one = client();
    for (const char* path : {"/status-a/", "/status-b/", "/status-c/"}) {
        for (int status = 200; status < 600; ++status) {
            if (status == 204 || status == 304) continue;  // they have no body
            ASSERT_EQ(one.ask(get(path + std::to_string(status))).status, status);
        }
    }
    EXPECT_EQ(series("http_server_requests_seconds"), telemetry::Registry::series_max + 1);
    const std::string text = client().ask(get("/actuator/prometheus")).body;
    EXPECT_THAT(text,
                ::testing::HasSubstr("http_server_requests_seconds_count{exception=\"overflow\","
                                     "method=\"overflow\",outcome=\"overflow\","
                                     "status=\"overflow\",uri=\"overflow\"} "));
}

TEST_F(Cardinality, DoesNotGrowWithMadeUpMethodsAndPaths) {
    for (int i = 0; i < 300; ++i) {
        client().ask(fmt::format("GET /path{} HTTP/1.1\r\nHost: localhost\r\n\r\n", i));
        client().ask(fmt::format("M{} /hello HTTP/1.1\r\nHost: localhost\r\n\r\n", i));
        client().ask(fmt::format("GET /echo/{} HTTP/1.1\r\nHost: localhost\r\n\r\n", i));
    }
    EXPECT_LT(series("http_server_requests_seconds"), 8U);
}

}  // namespace
}  // namespace trackops::http
