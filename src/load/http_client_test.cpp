// Tests of the HTTP client and of a whole run against a real HTTP server.
#include "load/http_client.hpp"

#include <arpa/inet.h>
#include <atomic>
#include <netinet/in.h>
#include <sstream>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load/report.hpp"
#include "load/run.hpp"
#include "platform/http/route_for_tests.hpp"
#include "platform/http/server.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/fakes.hpp"

namespace trackops::load {
namespace {

using ::testing::HasSubstr;

class HttpClientTest : public ::testing::Test {
protected:
    void SetUp() override { start(0); }

    void start(std::uint16_t port) {
        server_.reset();
        server_ = http::make_server({.port = port}, routes(), clock_, ids_, metrics_);
        server_->start();
        url_ = fmt::format("http://127.0.0.1:{}", server_->port());
    }

    std::vector<http::Route> routes() {
        using http::Reply;
        using http::Request;
        using http::route_for_tests;
        return {
            route_for_tests("POST", "/echo",
                            [](const Request& request, const Reply& reply) {
                                const auto key = request.header("idempotency-key").value_or("none");
                                reply.send({.status = 201,
                                            .body = fmt::format("{} {}", key, request.body),
                                            .headers = {{"Idempotency-Replayed", "true"},
                                                        {"Retry-After", "3"}}});
                            }),
            route_for_tests(
                "GET", "/caller",
                [](const Request& request, const Reply& reply) {
                    reply.json(200, std::string(request.header("authorization").value_or("-")));
                }),
            route_for_tests("GET", "/fine",
                            [](const Request&, const Reply& reply) { reply.json(200, "{}"); }),
            route_for_tests("POST", "/api/orders",
                            [this](const Request&, const Reply& reply) {
                                if (++placed_ % 10 == 0) return reply.json(503, "{}");
                                reply.json(201, order(placed_, "PENDING"));
                            }),
            route_for_tests(
                "GET", "/api/orders/{id}/status", [](const Request& request, const Reply& reply) {
                    reply.json(200, order(std::stoi(std::string(request.param("id").substr(24))),
                                          "CONFIRMED"));
                })};
    }

    static std::string order(int number, std::string_view status) {
        return fmt::format(
            R"({{"id":"00000000-0000-7000-8000-{:012}","status":"{}",)"
            R"("createdAt":"2026-01-01T00:00:00Z","updatedAt":"2026-01-01T00:00:01Z"}})",
            number, status);
    }

    Result<Response> send(HttpClient& client, Request call) {
        Result<Response> response;
        client.send(std::move(call), [&](Result<Response> got) { response = std::move(got); });
        client.run();
        return response;
    }

    testing::FakeClock clock_;
    testing::SeededIds ids_;
    telemetry::Registry metrics_;
    std::unique_ptr<http::Server> server_;
    std::string url_;
    // Only the server's single I/O thread touches it.
    int placed_ = 0;
};

// A server that answers one request with the pieces that a test sets. It takes turns with the
// client on one thread, so that the client reads each piece apart.
class PiecewiseServer {
public:
    explicit PiecewiseServer(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const named = reinterpret_cast<sockaddr*>(&address);
        if (::bind(listener_, named, size) != 0 || ::listen(listener_, 1) != 0 ||
            ::getsockname(listener_, named, &size) != 0)
            throw std::runtime_error("no socket to listen on");
        url_ = fmt::format("http://127.0.0.1:{}", ntohs(address.sin_port));
    }
    ~PiecewiseServer() {
        ::close(listener_);
        if (connection_ >= 0) ::close(connection_);
    }
    PiecewiseServer(const PiecewiseServer&) = delete;
    PiecewiseServer& operator=(const PiecewiseServer&) = delete;

    const std::string& url() const { return url_; }

    // Does one step at each turn of the client: accepts, reads the request, sends a piece. Closes
    // after the last piece.
    void take_turns(HttpClient& client) {
        if (client.elapsed() > std::chrono::seconds(20))
            throw std::runtime_error("no request came");
        if (connection_ < 0) {
            connection_ = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
        } else if (!request_.ends_with("\r\n\r\n")) {
            char bytes[4096];
            const auto count = ::recv(connection_, bytes, sizeof bytes, 0);
            if (count > 0) request_.append(bytes, static_cast<std::size_t>(count));
        } else if (sent_ < pieces_.size()) {
            const std::string& piece = pieces_[sent_++];
            EXPECT_EQ(::send(connection_, piece.data(), piece.size(), MSG_NOSIGNAL),
                      static_cast<ssize_t>(piece.size()));
        } else {
            ::shutdown(connection_, SHUT_WR);
            return;
        }
        client.after(Duration::zero(), [this, &client] { take_turns(client); });
    }

private:
    const int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int connection_ = -1;
    const std::vector<std::string> pieces_;
    std::size_t sent_ = 0;
    std::string request_;
    std::string url_;
};

Result<Response> answered_in_pieces(std::vector<std::string> pieces) {
    PiecewiseServer server(std::move(pieces));
    const auto client = make_http_client({server.url(), server.url()}).value();
    Result<Response> response = fail(Errc::internal, "done was not called");
    client->send({.path = "/"}, [&](Result<Response> got) { response = std::move(got); });
    server.take_turns(*client);
    client->run();
    return response;
}

TEST_F(HttpClientTest, CarriesACallAndItsAnswer) {
    const auto client = make_http_client({url_, url_}).value();
    Request call{.method = "POST", .path = "/echo", .body = R"("é")"};
    call.idempotency_key = "k-1";
    const auto response = send(*client, std::move(call));
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 201);
    EXPECT_EQ(response->body, R"(k-1 "é")");
    EXPECT_EQ(response->retry_after, std::chrono::seconds(3));
    EXPECT_TRUE(response->is_replayed);
}

TEST_F(HttpClientTest, CarriesTheKeyToBothServices) {
    for (const Target target : {Target::order, Target::inventory}) {
        const auto client = make_http_client({url_, url_, Secret("trk_x")}).value();
        EXPECT_EQ(send(*client, {.target = target, .path = "/caller"})->body, "Bearer trk_x");
    }
    const auto without = make_http_client({url_, url_}).value();
    EXPECT_EQ(send(*without, {.path = "/caller"})->body, "-");
    EXPECT_EQ(make_http_client({url_, url_, Secret("a\r\nb")}).error().code, Errc::invalid);
}

TEST_F(HttpClientTest, GivesEachOfManyCallsItsOwnAnswer) {
    const auto client = make_http_client({url_, url_}).value();
    int right = 0;
    int rounds = 3;
    std::function<void(int)> call_again = [&](int number) {
        const auto body = fmt::format("{}", number);
        client->send({.method = "POST", .path = "/echo", .body = body},
                     [&, number, body](Result<Response> response) {
                         right += response && response->body == "none " + body;
                         if (number + 100 < rounds * 100)
                             // This call reuses a connection.
                             call_again(number + 100);
                     });
    };
    for (int number = 0; number < 100; ++number) call_again(number);
    client->run();
    EXPECT_EQ(right, rounds * 100);
}

TEST_F(HttpClientTest, ReportsAMissingResponseAndReconnects) {
    const auto client = make_http_client({url_, url_}).value();
    std::vector<int> statuses;
    const auto note = [&](Result<Response> response) {
        statuses.push_back(response ? response->status : 0);
    };
    const Request fine{.path = "/fine"};
    client->send(fine, note);
    client->send(fine, note);
    client->send(fine, [&](const Result<Response>&) {
        // A restart of the server kills all idle connections.
        start(server_->port());
        client->after(Duration::zero(), [&] {
            client->send(fine, [&](Result<Response> response) {
                statuses.push_back(response ? response->status : 0);
                client->send(fine, note);
            });
        });
    });
    client->run();
    ASSERT_EQ(statuses.size(), 4U);
    // At most one call fails, because a failure discards the other idle connections.
    EXPECT_EQ(statuses.back(), 200);

    server_.reset();
    const auto lonely = make_http_client({url_, url_}).value();
    const auto response = send(*lonely, {.path = "/fine"});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Errc::unavailable);
}

// A proxy may send chunks, and each byte of them alone.
TEST(HttpClientPieces, AreOneAnswer) {
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const auto empty = answered_in_pieces({head, "0\r\n", "\r", "\n"});
    ASSERT_TRUE(empty) << empty.error().detail;
    EXPECT_EQ(empty->status, 200);
    EXPECT_EQ(empty->body, "");
    const auto body = answered_in_pieces({head, "2", "\r\nab", "\r\n0", "\r", "\n\r", "\n"});
    ASSERT_TRUE(body) << body.error().detail;
    EXPECT_EQ(body->body, "ab");
    const auto to_the_end = answered_in_pieces({"HTTP/1.1 200", " OK\r\n\r\na", "b"});
    ASSERT_TRUE(to_the_end) << to_the_end.error().detail;
    EXPECT_EQ(to_the_end->body, "ab");
}

TEST(HttpClientPieces, OfNoAnswerAreReported) {
    const std::vector<std::vector<std::string>> cases = {
        {},
        {"HTTP/1.1 200 OK\r\n"},
        {"SMTP", "\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "ab"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"}};
    for (const std::vector<std::string>& pieces : cases) {
        const auto response = answered_in_pieces(pieces);
        ASSERT_FALSE(response);
        EXPECT_EQ(response.error().code, Errc::unavailable) << response.error().detail;
    }
}

TEST_F(HttpClientTest, RefusesOtherUrls) {
    for (const auto* url :
         {"", "https://", "http://", "http://:80", "http://a:b", "http://a:1/path",
          "http://a:99999", "http://me@a:1", "http://a:1?b=c", "http://a:1,b:2"})
        EXPECT_FALSE(make_http_client({url, url_})) << url;
    EXPECT_TRUE(make_http_client({"http://localhost", url_}));
    EXPECT_TRUE(make_http_client({url_ + "/", url_}));
    EXPECT_TRUE(make_http_client({"http://[::1]:80", url_}));
    const auto refused = make_http_client({"http://me:secret@a:1", url_});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().detail, HasSubstr("'http://me:******@a:1'"));
    EXPECT_THAT(refused.error().detail, HasSubstr("for example http://127.0.0.1:8080"));
}

TEST_F(HttpClientTest, CarriesAWholeRun) {
    std::string text;
    for (int number = 0; number < 200; ++number)
        text += fmt::format("{{\"externalRef\":\"r{}\"}}\n", number);
    std::istringstream lines(text);
    int shown = 0;
    LoadOptions options{.order_url = url_, .inventory_url = url_, .concurrency = 16};
    const auto report =
        run_load(options, {lines, static_cast<std::int64_t>(text.size())},
                 {[&](const LoadReport&, double) { ++shown; }, std::chrono::milliseconds(1)});
    ASSERT_TRUE(report);
    EXPECT_EQ(report->orders.done, 200);
    EXPECT_EQ(report->confirmed, 200);
    EXPECT_GT(report->retried, 0);
    EXPECT_GT(shown, 0);
    EXPECT_EQ(report->to_confirmed.max, std::chrono::seconds(1));
    EXPECT_TRUE(report->has_succeeded());
}

}  // namespace
}  // namespace trackops::load
