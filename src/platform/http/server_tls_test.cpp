// The server with TLS: the same conversation, in records.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "platform/http/server_fixture.hpp"
#include "platform/tls/server_identity.hpp"
#include "platform/tls/session.hpp"
#include "testing/certificates.hpp"
#include "testing/databases.hpp"

namespace trackops::http {
namespace {

using ::testing::HasSubstr;
using trackops::testing::Authority;

// A blocking client that speaks TLS over a socket.
class TlsClient {
public:
    TlsClient(std::uint16_t port, std::shared_ptr<const tls::Context> context)
        : raw_(port), session_(std::move(context), "localhost") {
        flush();
        while (session_.state() == tls::Session::State::handshake && receive()) {
        }
    }
    tls::Session& session() { return session_; }
    void send(std::string_view text) {
        session_.send(text);
        flush();
    }
    // Waits for an answer with the length that it says.
    std::string ask(std::string_view text) {
        send(text);
        for (;;) {
            const std::size_t end = text_.find("\r\n\r\n");
            if (end != std::string::npos) {
                const std::size_t at = text_.find("Content-Length: ");
                const std::size_t length =
                    at > end ? 0 : std::strtoul(text_.c_str() + at + 16, nullptr, 10);
                if (text_.size() >= end + 4 + length) {
                    std::string answer = text_.substr(0, end + 4 + length);
                    text_.erase(0, end + 4 + length);
                    return answer;
                }
            }
            if (!receive()) return "the connection ended: " + text_;
        }
    }
    // Waits for the end. Returns true if the server has said that it ends.
    bool ends_with_goodbye() {
        while (session_.state() == tls::Session::State::open && receive()) {
        }
        return session_.state() == tls::Session::State::ended;
    }
    bool receive() {
        const std::string bytes = raw_.receive_some();
        if (bytes.empty()) return false;
        session_.receive(bytes, text_);
        flush();
        return true;
    }

private:
    void flush() {
        std::string out;
        session_.take_output(out);
        if (!out.empty()) raw_.send(out);
    }
    RawClient raw_;
    tls::Session session_;
    std::string text_;
};

class ServerTlsTest : public ServerTest {
protected:
    ServerTlsTest() {
        show(authority_.issue("localhost"));
        std::ofstream(folder_ / "ca") << authority_.certificate();
    }
    ~ServerTlsTest() override { server_.reset(); }
    void show(const trackops::testing::Issued& issued) const {
        std::ofstream(folder_ / "certificate") << issued.certificate;
        std::ofstream(folder_ / "key") << issued.key;
    }
    void start_tls(ServerOptions options = {}, bool asks_clients = false) {
        identity_ = std::make_unique<tls::ServerIdentity>(
            tls::IdentityFiles{folder_ / "certificate", folder_ / "key",
                               asks_clients ? (folder_ / "ca").string() : std::string()},
            clock_, metrics_);
        options.edge.tls = identity_.get();
        start(std::move(options));
    }
    TlsClient tls_client(const tls::Credentials& own = {}) {
        return {server_->port(), tls::make_client_context(authority_.certificate(), own).value()};
    }
    double handshakes(const std::string& outcome) {
        return counted("http_server_tls_handshakes_total", {{"outcome", outcome}});
    }

    const Authority authority_{"the authority"};
    const trackops::testing::TemporaryFolder temporary_;
    const std::filesystem::path folder_ = temporary_.path();
    std::unique_ptr<tls::ServerIdentity> identity_;
};

TEST_F(ServerTlsTest, AnswersAsWithoutTls) {
    start_tls();
    auto client = tls_client();
    ASSERT_TRUE(client.session().is_open()) << client.session().fault();
    for (int i = 0; i < 3; ++i) {
        const auto answer = client.ask(get("/hello"));
        EXPECT_THAT(answer, ::testing::StartsWith("HTTP/1.1 200 OK\r\n"));
        EXPECT_THAT(answer, HasSubstr("Strict-Transport-Security: max-age=31536000\r\n"));
        EXPECT_THAT(answer, HasSubstr("{\"hello\":1}"));
    }
    const std::string large = client.ask(get("/large"));
    EXPECT_TRUE(large.ends_with(std::string(8 * 1024 * 1024, 'x')));
    const std::string body(600'000, 'y');
    EXPECT_TRUE(client.ask(post("/body", body)).ends_with(body));
    const auto many = get("/hello") + get("/echo/a") + get("/tagged");
    EXPECT_THAT(client.ask(many), HasSubstr("hello"));
    EXPECT_THAT(client.ask(""), HasSubstr("GET a"));
    EXPECT_THAT(client.ask(""), HasSubstr("tagged"));
    EXPECT_THAT(client.ask(get("/hello", "Connection: close\r\n")), HasSubstr("hello"));
    EXPECT_TRUE(client.ends_with_goodbye());
    EXPECT_EQ(handshakes("accepted"), 1);
    EXPECT_EQ(handshakes("failed"), 0);
}

TEST_F(ServerTlsTest, ANewCertificateIsShownToNewConnections) {
    start_tls();
    auto before = tls_client();
    EXPECT_THAT(before.ask(get("/hello")), HasSubstr("200"));
    show(authority_.issue("elsewhere"));
    ASSERT_EQ(identity_->run({}).done, 1U);
    auto after = tls_client();
    EXPECT_EQ(after.session().state(), tls::Session::State::failed) << "its name is not localhost";
    EXPECT_THAT(before.ask(get("/hello")), HasSubstr("200")) << "an open connection goes on";
}

TEST_F(ServerTlsTest, AClientWithoutACertificateIsNotServedWhereOneIsNeeded) {
    start_tls({}, true);
    auto without = tls_client();
    EXPECT_THAT(without.ask(get("/hello")), HasSubstr("the connection ended"));
    EXPECT_EQ(handshakes("failed"), 1);
    const auto own = authority_.issue("a client");
    auto with = tls_client({own.certificate, Secret(own.key)});
    EXPECT_THAT(with.ask(get("/hello")), HasSubstr("200"));
}

TEST_F(ServerTlsTest, PlainHttpIsToldWhatIsSpoken) {
    start_tls();
    const auto answer = client().ask(get("/hello"));
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, HasSubstr("HTTPS"));
}

TEST_F(ServerTlsTest, AHandshakeHasItsTimeAndItsBytes) {
    ServerOptions options;
    options.handshake_timeout = std::chrono::milliseconds(50);
    start_tls(options);
    auto silent = client();
    EXPECT_TRUE(silent.is_closed());
    auto slow = client();
    slow.send("\x16\x03\x01");
    EXPECT_TRUE(slow.is_closed());
    EXPECT_EQ(limit_reached("handshake_time"), 2);
    server_.reset();
    options.handshake_timeout = std::chrono::seconds(30);
    options.handshake_bytes_max = 1000;
    start_tls(options);
    auto large = client();
    large.send(std::string("\x16\x03\x01\x3f\xff\x01\x00\x3f\xfb", 9) + std::string(5000, '\0'));
    large.ends_without_reset();
    EXPECT_EQ(limit_reached("handshake_bytes"), 1);
}

TEST_F(ServerTlsTest, AThousandClientsThatSayNothingDoNotStopTheOthers) {
    constexpr std::size_t silent_max = 1000;
    ServerOptions options;
    runtime::Budget budget(1 << 20, metrics_);
    options.budget = &budget;
    start_tls(options);
    std::vector<RawClient> silent;
    for (std::size_t i = 0; i < silent_max; ++i) silent.push_back(client());
    auto talking = tls_client();
    EXPECT_THAT(talking.ask(get("/hello")), HasSubstr("200"));
    EXPECT_LT(budget.used(), std::size_t{64} * 1024) << "they cost no session";
    server_.reset();
}

TEST_F(ServerTlsTest, SessionsArePaidForByTheBudget) {
    ServerOptions options;
    runtime::Budget budget(64 * 1024, metrics_);
    options.budget = &budget;
    start_tls(options);
    auto first = tls_client();
    EXPECT_THAT(first.ask(get("/hello")), HasSubstr("200"));
    auto second = tls_client();
    EXPECT_THAT(second.ask(get("/hello")), HasSubstr("200"));
    const std::size_t used = budget.used();
    EXPECT_GT(used, 0U);
    auto third = tls_client();
    EXPECT_FALSE(third.session().is_open()) << "there is no memory left for a handshake";
    EXPECT_THAT(first.ask(get("/hello")), HasSubstr("200"));
    server_.reset();
    EXPECT_EQ(budget.used(), 0U);
}

TEST_F(ServerTlsTest, DrainsAtOnceAndSaysGoodbye) {
    start_tls();
    auto idle = tls_client();
    EXPECT_THAT(idle.ask(get("/hello")), HasSubstr("200"));
    auto unfinished = client();
    unfinished.send("\x16\x03\x01");
    const auto began = std::chrono::steady_clock::now();
    server_->drain(std::chrono::seconds(20));
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
    EXPECT_TRUE(idle.ends_with_goodbye());
}

}  // namespace
}  // namespace trackops::http
