// The rate limits, the CORS and the proxies of a running server.
#include <gmock/gmock.h>

#include "platform/http/identifier.hpp"
#include "platform/http/server_fixture.hpp"

namespace trackops::http {
namespace {

using ::testing::HasSubstr;

// A caller for each value of Authorization; nobody without one.
class ByHeader final : public Identifier {
public:
    std::shared_ptr<const Principal> identify(const Request& request) override {
        if (const auto cookie = request.header("cookie")) return named(*cookie);
        const auto name = request.header("authorization");
        if (!name) return nobody();
        return named(*name);
    }

private:
    static std::shared_ptr<const Principal> named(std::string_view name) {
        return std::make_shared<const Principal>(
            Principal{.name = std::string(name), .scopes = Scopes::all()});
    }
};

class ServerEdgeTest : public ServerTest {
protected:
    // GET /own asks for a caller with a scope.
    void start_with_own(const ServerOptions& options) {
        Route own = route_for_tests(
            "GET", "/own", [](const Request&, const Reply& reply) { reply.json(200, "{}"); });
        own.scope = Scope::orders_read;
        start(options, {own});
    }
    ByHeader callers_;
};

TEST_F(ServerEdgeTest, ARequestBeyondTheRateIs429AndOthersAreServed) {
    ServerOptions options;
    options.edge.identifier = &callers_;
    options.edge.rate_limits = {.of_principal = 1};
    start(options);
    auto connection = client();
    const auto shop = get("/hello", "Authorization: shop\r\n");
    for (int i = 9; i >= 0; --i) {
        const auto answer = connection.ask(shop);
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.header("RateLimit-Policy"), "\"principal\";q=10;w=10");
        EXPECT_THAT(answer.header("RateLimit"),
                    ::testing::StartsWith("\"principal\";r=" + std::to_string(i) + ";t="));
    }
    const auto refused = connection.ask(shop);
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.header("Retry-After"), "1");
    EXPECT_THAT(refused.header("RateLimit"), HasSubstr(";r=0;"));
    EXPECT_THAT(refused.body, HasSubstr("\"code\":\"rate-limited\""));
    EXPECT_EQ(connection.ask(get("/hello", "Authorization: other\r\n")).status, 200);
    EXPECT_EQ(counted("http_server_rate_limited_total", {{"policy", "principal"}}), 1);
    EXPECT_EQ(connection.ask(get("/hello")).header("RateLimit"), "")
        << "a stranger on loopback has no limit";
}

TEST_F(ServerEdgeTest, StrangersShareTheLimitOfTheAddressThatTheProxyNames) {
    ServerOptions options;
    options.edge.identifier = &callers_;
    options.edge.rate_limits = {.of_address = 1};
    options.edge.trusted_proxies = parse_networks("127.0.0.1").value();
    start_with_own(options);
    auto connection = client();
    const auto from = [&](const std::string& address) {
        return connection.ask(get("/own", "X-Forwarded-For: " + address + "\r\n")).status;
    };
    for (int i = 0; i < 10; ++i) EXPECT_EQ(from("192.0.2.1"), 401);
    EXPECT_EQ(from("192.0.2.1"), 429) << "also an unknown key is counted";
    EXPECT_EQ(from("192.0.2.2"), 401);
    EXPECT_EQ(from("192.0.2.1, 192.0.2.3"), 401) << "what a client says itself counts for nothing";
    EXPECT_EQ(counted("http_server_rate_limited_total", {{"policy", "address"}}), 1);
}

TEST_F(ServerEdgeTest, ForwardedHeadersOfOthersAreNotBelieved) {
    ServerOptions options;
    options.edge.public_hosts = {"shop.example"};
    options.edge.trusted_proxies = parse_networks("10.0.0.0/8").value();
    start(options);
    const auto misled = client().ask(
        "GET /hello HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: shop.example\r\n\r\n");
    EXPECT_EQ(misled.status, 421);
}

TEST_F(ServerEdgeTest, PagesOfAnAllowedOriginMaySendAndRead) {
    ServerOptions options;
    options.edge.identifier = &callers_;
    options.edge.cors_origins = {"https://console.example"};
    start_with_own(options);
    auto connection = client();
    const std::string from_console =
        "Origin: https://console.example\r\nSec-Fetch-Site: cross-site\r\n";
    const auto preflight = connection.ask(
        "OPTIONS /body HTTP/1.1\r\nHost: localhost\r\n" + from_console +
        "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x\r\n\r\n");
    EXPECT_EQ(preflight.status, 204) << "without credentials";
    EXPECT_EQ(preflight.header("Access-Control-Allow-Origin"), "https://console.example");
    EXPECT_EQ(preflight.header("Access-Control-Allow-Methods"), "POST, OPTIONS");
    EXPECT_THAT(preflight.header("Access-Control-Allow-Headers"), HasSubstr("Idempotency-Key"));
    EXPECT_EQ(preflight.header("Access-Control-Max-Age"), "600");
    const auto changed = connection.ask(post(
        "/body", "1", "Content-Type: application/json\r\nAuthorization: me\r\n" + from_console));
    EXPECT_EQ(changed.status, 201);
    EXPECT_EQ(changed.header("Access-Control-Allow-Origin"), "https://console.example");
    EXPECT_THAT(changed.header("Access-Control-Expose-Headers"), HasSubstr("ETag"));
    EXPECT_EQ(changed.header("Access-Control-Allow-Credentials"), "") << "no cookie comes along";
    EXPECT_EQ(connection.ask(get("/own", "Cookie: me\r\n")).status, 200);
    EXPECT_EQ(connection.ask(get("/own", "Cookie: me\r\n" + from_console)).status, 401)
        << "a session of the browser is no part of it";
    EXPECT_EQ(connection.ask(get("/own", from_console)).header("Access-Control-Allow-Origin"),
              "https://console.example")
        << "a page has to be able to read a 401, too";
}

TEST_F(ServerEdgeTest, PagesOfOtherOriginsMayNot) {
    ServerOptions options;
    options.edge.cors_origins = {"https://console.example"};
    start(options);
    auto connection = client();
    for (const std::string origin :
         {"https://console.example.evil.example", "http://console.example", "null",
          "https://console.example:444", "https://CONSOLE.example"}) {
        const std::string header = "Origin: " + origin + "\r\n";
        const auto read = connection.ask(get("/hello", header));
        EXPECT_EQ(read.header("Access-Control-Allow-Origin"), "") << origin;
        EXPECT_EQ(read.header("Vary"), "Origin");
        EXPECT_EQ(connection.ask(post("/body", "1", "Content-Type: application/json\r\n" + header))
                      .status,
                  403)
            << origin;
        const auto preflight =
            connection.ask("OPTIONS /body HTTP/1.1\r\nHost: localhost\r\n" + header +
                           "Access-Control-Request-Method: POST\r\n\r\n");
        EXPECT_EQ(preflight.header("Access-Control-Allow-Methods"), "") << origin;
    }
}

TEST_F(ServerEdgeTest, WithoutTheSettingsNoHeaderIsAdded) {
    start();
    const auto answer = client().ask(get("/hello", "Origin: https://console.example\r\n"));
    for (const auto* name : {"Vary", "Access-Control-Allow-Origin", "RateLimit", "RateLimit-Policy",
                             "Strict-Transport-Security"})
        EXPECT_EQ(answer.header(name), "") << name;
    EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(answer.header("Cache-Control"), "no-store");
}

}  // namespace
}  // namespace trackops::http
