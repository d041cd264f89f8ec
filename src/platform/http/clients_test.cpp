// Requests of common clients with default settings, byte for byte. Those of curl 7.88, Node 20 and
// Java 17 were recorded; those of the other clients follow their sources and documentation.
#include <gtest/gtest.h>

#include "platform/http/conversation.hpp"
#include "platform/http/route_for_tests.hpp"
#include "testing/fakes.hpp"

namespace trackops::http {
namespace {

std::vector<Route> routes() {
    const auto row = [](std::string_view method, std::string_view pattern, bool body_optional) {
        Route route = route_for_tests(method, pattern);
        route.body_optional = body_optional;
        return route;
    };
    return {row("GET", "/", false),
            row("GET", "/actuator/health/liveness", false),
            row("GET", "/actuator/prometheus", false),
            row("POST", "/api/orders", false),
            row("GET", "/api/orders", false),
            row("POST", "/api/relay/pause", true),
            row("DELETE", "/api/orders/{id}", true)};
}

class AnsweringHost final : public Conversation::Host {
public:
    void handle(const Route&, Request, Conversation::Place place) override {
        conversation->answer(place.number, {.body = "{}"});
    }
    std::shared_ptr<const Principal> identify(const Request&) override { return principal; }
    Uuid fresh_id() override { return ids.next(); }
    std::string_view date() override { return "Tue, 14 Nov 2023 22:13:20 GMT"; }
    void reached(Limit) override {}
    void observe(const Conversation::Access&) override {}

    Conversation* conversation = nullptr;
    std::shared_ptr<const Principal> principal = local_principal();
    trackops::testing::SeededIds ids;
};

// Returns the output for bytes that arrive together.
std::string answer_to(std::string_view sent) {
    static const Router router(routes());
    static const ServerOptions options{.edge = {.public_hosts = {"order-service", "shop.example"}}};
    AnsweringHost host;
    Conversation conversation(host, router, options, 1, {});
    host.conversation = &conversation;
    conversation.receive(sent, {});
    std::string out;
    conversation.take_output(out, {});
    return out;
}

struct Client {
    const char* name;
    std::string sent;
    int status;
    bool closes = false;        // the client wants the connection closed
    std::string expected = "";  // a part of the output
};

// clang-format off
const std::vector<Client> clients = {
    {"kubelet",
     "GET /actuator/health/liveness HTTP/1.1\r\nHost: 10.244.0.7:8080\r\nUser-Agent: kube-probe/1.29\r\n"
     "Accept: */*\r\nConnection: close\r\n\r\n", 200, true},
    {"kubelet, IPv6",
     "GET /actuator/health/liveness HTTP/1.1\r\nHost: [fd00:10:244::7]:8080\r\nUser-Agent: kube-probe/1.29\r\n"
     "Accept: */*\r\nConnection: close\r\n\r\n", 200, true},
    {"Prometheus",
     "GET /actuator/prometheus HTTP/1.1\r\nHost: 10.244.0.7:8080\r\nUser-Agent: Prometheus/2.42.0\r\n"
     "Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
     "text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\nAccept-Encoding: gzip\r\nX-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n", 200},
    {"HAProxy, option httpchk", "OPTIONS / HTTP/1.0\r\n\r\n", 204, true, "\r\nAllow: GET, HEAD, OPTIONS\r\n"},
    {"HAProxy, option httpchk HEAD /", "HEAD / HTTP/1.0\r\n\r\n", 200, true},
    {"HAProxy, option httpchk OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: 10.0.0.5\r\n\r\n", 204, false,
     "\r\nAllow: GET, HEAD, POST, DELETE, OPTIONS\r\n"},
    {"AWS load balancer",
     "GET / HTTP/1.1\r\nHost: 10.0.0.5:8080\r\nConnection: close\r\nUser-Agent: ELB-HealthChecker/2.0\r\n"
     "Accept-Encoding: gzip, compressed\r\n\r\n", 200, true},
    {"nginx, proxy_pass by default",
     "GET /api/orders HTTP/1.0\r\nHost: order-service:8080\r\nConnection: close\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n",
     200, true},
    {"nginx, a POST by default",
     "POST /api/orders HTTP/1.0\r\nHost: order-service:8080\r\nConnection: close\r\nContent-Length: 2\r\n"
     "Content-Type: application/json\r\n\r\n{}", 200, true},
    {"nginx, a name that is not ours",
     "GET /api/orders HTTP/1.0\r\nHost: upstream\r\nConnection: close\r\n\r\n", 421, true},
    {"nginx, kept alive and with the client's host",
     "POST /api/relay/pause HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-Proto: https\r\nContent-Length: 0\r\n"
     "Origin: https://shop.example\r\nSec-Fetch-Site: same-origin\r\n\r\n", 200},
    {"Envoy, a POST without a body",
     "POST /api/relay/pause HTTP/1.1\r\nhost: order-service\r\nx-forwarded-proto: http\r\n"
     "x-request-id: 9a1c0c2e-7a4b-4a37-8b5f-0d3b1c2d3e4f\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 200},
    {"a proxy, absolute form",
     "GET http://shop.example/api/orders/?limit=1 HTTP/1.1\r\nHost: shop.example\r\nProxy-Connection: Keep-Alive\r\n\r\n", 200},
    {"a proxy, absolute form with a scheme in capitals",
     "GET HTTP://shop.example/api/orders/?limit=1 HTTP/1.1\r\nHost: shop.example\r\n\r\n", 200},
    {"curl -X POST",
     "POST /api/relay/pause HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n", 200},
    {"curl -d",
     "POST /api/orders HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\nContent-Length: 2\r\n"
     "Content-Type: application/x-www-form-urlencoded\r\n\r\n{}", 415, false, "the Content-Type must be application/json"},
    {"Node fetch",
     "GET /api/orders HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nconnection: keep-alive\r\naccept: */*\r\naccept-language: *\r\n"
     "sec-fetch-mode: cors\r\nuser-agent: node\r\naccept-encoding: gzip, deflate\r\n\r\n", 200},
    {"Node fetch, a POST",
     "POST /api/orders HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nconnection: keep-alive\r\nContent-Type: application/json\r\naccept: */*\r\n"
     "accept-language: *\r\nsec-fetch-mode: cors\r\nuser-agent: node\r\naccept-encoding: gzip, deflate\r\ncontent-length: 2\r\n\r\n{}", 200},
    {"Node http, a POST without a body",
     "POST /api/relay/pause HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200},
    {"Node http, a DELETE",
     "DELETE /api/orders/7 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: keep-alive\r\n\r\n", 200},
    {"Java HttpClient",
     "GET /api/orders HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: 0\r\nHost: 127.0.0.1:8080\r\n"
     "HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA\r\nUpgrade: h2c\r\nUser-Agent: Java-http-client/17.0.15\r\n\r\n", 200},
    {"Java HttpClient, a POST of an empty stream",
     "POST /api/relay/pause HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nHost: 127.0.0.1:8080\r\n"
     "HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA\r\nTransfer-encoding: chunked\r\nUpgrade: h2c\r\n"
     "User-Agent: Java-http-client/17.0.15\r\n\r\n0\r\n\r\n", 200},
    {"Java HttpURLConnection, a POST without a body",
     "POST /api/relay/pause HTTP/1.1\r\nUser-Agent: Java/17.0.15\r\nHost: 127.0.0.1:8080\r\n"
     "Accept: text/html, image/gif, image/jpeg, */*; q=0.2\r\nConnection: keep-alive\r\n"
     "Content-type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200},
    {"Java HttpURLConnection, a POST with a body",
     "POST /api/relay/pause HTTP/1.1\r\nUser-Agent: Java/17.0.15\r\nHost: 127.0.0.1:8080\r\n"
     "Accept: text/html, image/gif, image/jpeg, */*; q=0.2\r\nConnection: keep-alive\r\n"
     "Content-type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 415},
    {"Windows PowerShell 5.1, the head of a POST",
     "POST /api/orders HTTP/1.1\r\nUser-Agent: Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.4648\r\n"
     "Content-Type: application/json\r\nHost: localhost:8080\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: Keep-Alive\r\n\r\n",
     100},
    {"Windows PowerShell 5.1, a POST",
     "POST /api/orders HTTP/1.1\r\nUser-Agent: Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.4648\r\n"
     "Content-Type: application/json\r\nHost: localhost:8080\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: Keep-Alive\r\n\r\n{}",
     200},
    {"PowerShell 7, a POST without a body",
     "POST /api/relay/pause HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: Mozilla/5.0 (Linux; Debian GNU/Linux 12; en-US) PowerShell/7.4.1\r\n"
     "Accept-Encoding: gzip, deflate, br\r\nContent-Length: 0\r\n\r\n", 200},
    {"Go net/http, a POST of an empty reader",
     "POST /api/relay/pause HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: Go-http-client/1.1\r\nTransfer-Encoding: chunked\r\n"
     "Accept-Encoding: gzip\r\n\r\n0\r\n\r\n", 200},
    {"a browser that follows a link of another site",
     "GET / HTTP/1.1\r\nHost: localhost:8080\r\nConnection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\n"
     "User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html,*/*;q=0.8\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n"
     "Sec-Fetch-Dest: document\r\nReferer: https://evil.example/\r\n\r\n", 200},
    {"a browser that posts a form of another site",
     "POST /api/relay/pause HTTP/1.1\r\nHost: localhost:8082\r\nConnection: keep-alive\r\nContent-Length: 0\r\nOrigin: null\r\n"
     "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n\r\n", 403, false,
     "a web page of another origin may not change anything here"},
    {"a browser on a rebound name",
     "GET /api/orders HTTP/1.1\r\nHost: rebound.evil.example:8080\r\nConnection: keep-alive\r\nSec-Fetch-Site: same-origin\r\n\r\n", 421},
};
// clang-format on

TEST(Clients, GetTheAnswersThatTheyExpect) {
    for (const Client& client : clients) {
        const std::string out = answer_to(client.sent);
        EXPECT_TRUE(out.starts_with("HTTP/1.1 " + std::to_string(client.status) + ' '))
            << client.name << '\n'
            << out;
        EXPECT_EQ(out.find("\r\nConnection: close\r\n") != std::string::npos, client.closes)
            << client.name << '\n'
            << out;
        EXPECT_NE(out.find(client.expected), std::string::npos) << client.name << '\n' << out;
        EXPECT_EQ(out.find("HTTP/1.1", 1), std::string::npos) << client.name << '\n' << out;
    }
}

}  // namespace
}  // namespace trackops::http
