#include "platform/otlp/post.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trackops::otlp {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Listens on a free port. Serves one connection: reads until `until` has come, sends `answer`, and
// closes.
class OneShotServer {
public:
    OneShotServer(std::string until, std::string answer)
        : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        socklen_t size = sizeof address;
        if (::bind(listener_, any, size) != 0 || ::listen(listener_, 1) != 0 ||
            ::getsockname(listener_, any, &size) != 0)
            throw std::runtime_error("no listener");
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this, until = std::move(until), answer = std::move(answer)] {
            const int fd = ::accept(listener_, nullptr, nullptr);
            char bytes[4096];
            while (until.empty() || received_.find(until) == std::string::npos) {
                const auto count = ::recv(fd, bytes, sizeof bytes, 0);
                if (count <= 0) break;
                received_.append(bytes, static_cast<std::size_t>(count));
            }
            (void)!::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
            ::close(fd);
        });
    }
    ~OneShotServer() {
        if (thread_.joinable()) thread_.join();
        ::close(listener_);
    }
    std::uint16_t port() const { return port_; }
    std::string received() {
        thread_.join();
        return received_;
    }

private:
    int listener_;
    std::uint16_t port_ = 0;
    std::string received_;
    std::thread thread_;
};

TEST(OtlpPost, SendsJsonWithItsHeadersAndReadsTheAnswer) {
    OneShotServer server("{\"a\":1}",
                         "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n"
                         "Content-Length: 4\r\n\r\nbusy");
    const auto post = make_http_post({"127.0.0.1", server.port(), "/v1/traces"},
                                     parse_headers("api-key=s%3Dcret, x = y"));
    const PostResult result = post("{\"a\":1}", std::chrono::seconds(10));
    EXPECT_EQ(result.status, 429) << result.error;
    EXPECT_EQ(result.body, "busy");
    EXPECT_EQ(result.retry_after, std::chrono::seconds(7));
    const std::string received = server.received();
    EXPECT_THAT(received, StartsWith("POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1:"));
    EXPECT_THAT(received, HasSubstr("\r\nContent-Type: application/json\r\n"));
    EXPECT_THAT(received, HasSubstr("\r\nContent-Length: 7\r\n"));
    EXPECT_THAT(received, HasSubstr("\r\napi-key: s=cret\r\n"));
    EXPECT_THAT(received, HasSubstr("\r\nx: y\r\n"));
}

TEST(OtlpPost, EndsInTimeWhenNobodyAnswers) {
    std::uint16_t closed_port = 0;
    {
        OneShotServer silent("never", "");
        closed_port = silent.port();
        const auto post = make_http_post({"127.0.0.1", silent.port(), "/"}, {});
        const PostResult result = post("{}", milliseconds(50));
        EXPECT_EQ(result.status, 0);
        EXPECT_EQ(result.error, "no answer in time");
    }
    const auto status_of = [](std::uint16_t port) {
        return make_http_post({"127.0.0.1", port, "/"}, {})("{}", std::chrono::seconds(10)).status;
    };
    EXPECT_EQ(status_of(closed_port), 0);
    OneShotServer rude("{}", "SSH-2.0-OpenSSH\r\n");
    EXPECT_EQ(status_of(rude.port()), 0);
}

std::string shown(std::string_view url, std::string_view append = {}) {
    try {
        const Endpoint endpoint = parse_endpoint(url, append);
        return endpoint.host + " " + std::to_string(endpoint.port) + " " + endpoint.path;
    } catch (const std::invalid_argument& refused) {
        return refused.what();
    }
}

TEST(OtlpEndpoint, IsReadAsTheSpecificationSays) {
    EXPECT_EQ(shown("http://collector:4318", "v1/traces"), "collector 4318 /v1/traces");
    EXPECT_EQ(shown("http://collector:4318/", "v1/traces"), "collector 4318 /v1/traces");
    EXPECT_EQ(shown("http://collector/otlp", "v1/logs"), "collector 80 /otlp/v1/logs");
    EXPECT_EQ(shown("http://collector:4318"), "collector 4318 /");
    EXPECT_EQ(shown("http://[::1]:4318/a/b"), "::1 4318 /a/b");
    EXPECT_THAT(shown("https://collector:4318"), HasSubstr("TLS is not spoken here"));
    EXPECT_THAT(shown("http://u:secret@collector"), HasSubstr("OTEL_EXPORTER_OTLP_HEADERS"));
    EXPECT_THAT(shown("http://u:secret@collector"), ::testing::Not(HasSubstr("secret")));
    EXPECT_THAT(shown("http://a:1,b:2"), HasSubstr("one host"));
    EXPECT_THAT(shown("collector:4318"), HasSubstr("http://127.0.0.1:4318"));
}

TEST(OtlpHeaders, AreRefusedWithoutTheirValues) {
    EXPECT_TRUE(parse_headers("").empty());
    EXPECT_EQ(parse_headers("a=1,,b=%41=2").at(1).value.reveal(), "A=2");
    EXPECT_EQ(parse_headers("a=100%").at(0).value.reveal(), "100%");
    for (const auto* bad : {"secret", "a b=secret", "=secret", "a=secret%0d%0aX: y"}) {
        try {
            (void)parse_headers(bad);
            ADD_FAILURE() << bad;
        } catch (const std::invalid_argument& refused) {
            EXPECT_THAT(refused.what(), ::testing::Not(HasSubstr("secret"))) << bad;
        }
    }
}

}  // namespace
}  // namespace trackops::otlp
