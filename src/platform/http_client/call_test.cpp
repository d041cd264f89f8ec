// Calls to a real server of ours, to one that breaks the rules, and to none.
#include "platform/http_client/call.hpp"

#include <arpa/inet.h>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/http/route_for_tests.hpp"
#include "platform/http/server.hpp"
#include "platform/telemetry/metrics.hpp"
#include "platform/tls/server_identity.hpp"
#include "testing/certificates.hpp"
#include "testing/databases.hpp"
#include "testing/fakes.hpp"

namespace trackops::http_client {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using trackops::testing::Authority;

std::chrono::steady_clock::time_point soon() { return std::chrono::steady_clock::now() + 20s; }

class HttpClientCall : public ::testing::Test {
protected:
    void start(const std::string& certified_host = {}) {
        http::ServerOptions options;
        if (!certified_host.empty()) {
            const auto issued = authority_.issue(certified_host);
            std::ofstream(folder_ / "certificate") << issued.certificate;
            std::ofstream(folder_ / "key") << issued.key;
            identity_ = std::make_unique<tls::ServerIdentity>(
                tls::IdentityFiles{folder_ / "certificate", folder_ / "key"}, clock_, metrics_);
            options.edge.tls = identity_.get();
        }
        std::vector<http::Route> routes = {
            http::route_for_tests("POST", "/echo",
                                  [](const http::Request& request, const http::Reply& reply) {
                                      http::Response answer{.status = 201, .body = request.body};
                                      answer.headers.emplace_back(
                                          "X-Seen", std::string(request.header("x-given").value()));
                                      reply.send(std::move(answer));
                                  }),
            http::route_for_tests("GET", "/large",
                                  [](const http::Request&, const http::Reply& reply) {
                                      reply.send({.body = std::string(100'000, 'x')});
                                  })};
        server_ = http::make_server(std::move(options), std::move(routes), clock_, ids_, metrics_);
        server_->start();
    }
    Server server(bool has_tls) const { return {has_tls, "localhost", server_->port()}; }
    TlsContext trust() const { return tls::make_client_context(authority_.certificate()).value(); }
    static Call echo() {
        return {.method = "POST",
                .path = "/echo",
                .headers = {{"Content-Type", Secret("application/json")}, {"X-Given", Secret("g")}},
                .body = Secret("{\"a\":1}")};
    }

    testing::FakeClock clock_;
    testing::SeededIds ids_;
    telemetry::Registry metrics_;
    const Authority authority_{"the authority"};
    const testing::TemporaryFolder temporary_;
    const std::filesystem::path folder_ = temporary_.path();
    std::unique_ptr<tls::ServerIdentity> identity_;
    std::unique_ptr<http::Server> server_;
};

TEST_F(HttpClientCall, BringsBackTheAnswer) {
    start();
    const auto answer = call(server(false), nullptr, echo(), soon());
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ((*answer)->status(), 201);
    EXPECT_EQ((*answer)->body(), "{\"a\":1}");
    EXPECT_EQ((*answer)->header("x-seen"), "g");
}

TEST_F(HttpClientCall, BringsBackTheAnswerOverTls) {
    start("localhost");
    const auto answer = call(server(true), trust(), echo(), soon());
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ((*answer)->body(), "{\"a\":1}");
    const auto large =
        call(server(true), trust(), {.path = "/large", .body_bytes_max = 200'000}, soon());
    ASSERT_TRUE(large) << large.error().detail;
    EXPECT_EQ((*large)->body().size(), 100'000U);
}

TEST_F(HttpClientCall, SendsNothingToAServerThatCannotProveItsName) {
    start("elsewhere");
    const auto answer = call(server(true), trust(), echo(), soon());
    EXPECT_EQ(answer.error().code, Errc::unavailable);
    EXPECT_THAT(answer.error().detail, HasSubstr("TLS: "));
    const auto stranger = tls::make_client_context(Authority("another").certificate()).value();
    EXPECT_THAT(call(server(true), stranger, echo(), soon()).error().detail, HasSubstr("TLS: "));
    EXPECT_EQ(call(server(true), nullptr, echo(), soon()).error().code, Errc::internal);
}

TEST_F(HttpClientCall, TakesNoMoreThanItsLimit) {
    start();
    EXPECT_EQ(call(server(false), nullptr, {.path = "/large"}, soon()).error().code,
              Errc::too_large);
}

// Listens on a free port, accepts one connection, sends `answer` and waits for the client to go.
class RudeServer {
public:
    explicit RudeServer(std::string answer) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        socklen_t size = sizeof address;
        if (::bind(listener_, any, size) != 0 || ::listen(listener_, 1) != 0 ||
            ::getsockname(listener_, any, &size) != 0)
            throw std::runtime_error("no listener");
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this, answer = std::move(answer)] {
            const int fd = ::accept(listener_, nullptr, nullptr);
            (void)!::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
            if (!answer.empty()) ::shutdown(fd, SHUT_WR);
            char byte = 0;
            while (::recv(fd, &byte, 1, 0) > 0) {
            }
            ::close(fd);
        });
    }
    ~RudeServer() {
        thread_.join();
        ::close(listener_);
    }
    Server server() const { return {false, "127.0.0.1", port_}; }

private:
    int listener_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

std::string fault(const Server& server, std::chrono::milliseconds within = 20s) {
    const auto answer =
        call(server, nullptr, {.path = "/"}, std::chrono::steady_clock::now() + within);
    return answer ? "" : answer.error().detail;
}

TEST(HttpClientFault, IsNamed) {
    {
        const RudeServer silent("");
        EXPECT_EQ(fault(silent.server(), 50ms), "no answer in time");
    }
    const RudeServer cut("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    EXPECT_EQ(fault(cut.server()), "the answer ended before it was whole");
    const RudeServer other("SSH-2.0-OpenSSH\r\n");
    EXPECT_NE(fault(other.server()), "");
    Server closed;
    {
        const RudeServer gone("x");
        closed = gone.server();
        EXPECT_NE(fault(closed), "");
    }
    EXPECT_EQ(fault(closed), "Connection refused");
    EXPECT_NE(fault({false, "no-such-host.invalid", 80}), "");
}

std::string shown(std::string_view url) {
    const auto target = parse_target(url, "server URL");
    return target ? target->server.url() + " " + target->path : target.error().detail;
}

TEST(HttpClientTarget, IsReadFromAUrl) {
    EXPECT_EQ(shown("http://a"), "http://a:80 /");
    EXPECT_EQ(shown("https://a/"), "https://a:443 /");
    EXPECT_EQ(shown("https://[::1]:8443/a/b"), "https://[::1]:8443 /a/b");
    EXPECT_THAT(shown("ftp://a"), HasSubstr("http://127.0.0.1:8080"));
    EXPECT_THAT(shown("https://u:secret@a"), HasSubstr("credentials"));
    EXPECT_THAT(shown("https://u:secret@a"), ::testing::Not(HasSubstr("secret@")));
    EXPECT_THAT(shown("https://a?b=c"), HasSubstr("parameters"));
    EXPECT_FALSE(parse_server("http://a/b", "server URL"));
    EXPECT_TRUE(parse_server("http://127.0.0.1:1", "x")->is_loopback());
    EXPECT_TRUE(parse_server("http://[::1]", "x")->is_loopback());
    EXPECT_TRUE(parse_server("http://localhost", "x")->is_loopback());
    EXPECT_FALSE(parse_server("http://localhost.example.org", "x")->is_loopback());
    EXPECT_THAT(shown("http://127.0.0.1.example.org"), HasSubstr("no host name"));
}

}  // namespace
}  // namespace trackops::http_client
