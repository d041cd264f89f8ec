#include "apps/health.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <cstring>
#include <netinet/in.h>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "apps/listen_settings.hpp"
#include "apps/tls_settings.hpp"
#include "platform/tls/session.hpp"
#include "platform/url/url.hpp"

namespace trackops::apps {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t reply_bytes_max = 65'536;

struct Socket {
    int number;
    explicit Socket(int family) : number(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        if (number < 0) throw std::runtime_error("no socket is to be had");
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() { ::close(number); }
};

struct Endpoint {
    sockaddr_storage address{};
    socklen_t size = 0;
};

// `ip` is one that a service listens on, or localhost. A service that listens on all addresses is
// asked on loopback.
Endpoint endpoint_of(std::string ip, std::uint16_t port) {
    if (ip == "0.0.0.0" || ip == "localhost") ip = "127.0.0.1";
    if (ip == "::") ip = "::1";
    Endpoint endpoint;
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    if (::inet_pton(AF_INET, ip.c_str(), &v4.sin_addr) == 1) {
        endpoint.size = sizeof v4;
        std::memcpy(&endpoint.address, &v4, sizeof v4);
    } else if (::inet_pton(AF_INET6, ip.c_str(), &v6.sin6_addr) == 1) {
        endpoint.size = sizeof v6;
        std::memcpy(&endpoint.address, &v6, sizeof v6);
    } else {
        throw std::runtime_error(fmt::format("'{}' is no IP address", ip));
    }
    return endpoint;
}

// Every wait of the socket ends at `until`. Throws when it has passed.
void limit_waits(const Socket& socket, Clock::time_point until) {
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(until - Clock::now());
    if (left.count() <= 0) throw std::runtime_error("no answer in time");
    const timeval limit{left.count() / 1'000'000, left.count() % 1'000'000};
    ::setsockopt(socket.number, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    ::setsockopt(socket.number, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

using TlsContext = std::shared_ptr<const tls::Context>;

void send_all(const Socket& socket, std::string_view bytes) {
    if (::send(socket.number, bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(bytes.size()))
        throw std::runtime_error("the connection was lost");
}

// Returns the next bytes; "" at the end.
std::string receive_some(const Socket& socket, Clock::time_point until) {
    limit_waits(socket, until);
    std::string bytes(16UL * 1024, '\0');
    const ssize_t count = ::recv(socket.number, bytes.data(), bytes.size(), 0);
    if (count < 0) throw std::runtime_error("no answer in time");
    bytes.resize(static_cast<std::size_t>(count));
    return bytes;
}

std::string answer_in_plain(const Socket& socket, std::string_view request,
                            Clock::time_point until) {
    send_all(socket, request);
    std::string answer;
    while (answer.size() < reply_bytes_max) {
        const std::string bytes = receive_some(socket, until);
        if (bytes.empty()) break;
        answer += bytes;
    }
    return answer;
}

std::string answer_over_tls(const Socket& socket, const TlsContext& context, const std::string& ip,
                            std::string_view request, Clock::time_point until) {
    tls::Session session(context, ip);
    std::string answer;
    bool is_sent = false;
    while (answer.size() < reply_bytes_max) {
        if (session.is_open() && !std::exchange(is_sent, true)) session.send(request);
        std::string records;
        session.take_output(records);
        if (!records.empty()) send_all(socket, records);
        if (session.state() == tls::Session::State::ended) break;
        if (session.state() == tls::Session::State::failed)
            throw std::runtime_error("TLS: " + session.fault());
        const std::string bytes = receive_some(socket, until);
        if (bytes.empty()) break;
        session.receive(bytes, answer);
    }
    return answer;
}

// Returns the whole answer, head and body. Throws std::runtime_error if there is none by `until`.
// `context` may be null: no TLS.
std::string readiness_answer(const std::string& ip, std::uint16_t port, const TlsContext& context,
                             Clock::time_point until) {
    const Endpoint endpoint = endpoint_of(ip, port);
    const Socket socket(endpoint.address.ss_family);
    limit_waits(socket, until);
    if (::connect(socket.number, reinterpret_cast<const sockaddr*>(&endpoint.address),
                  endpoint.size) != 0)
        throw std::runtime_error("no service listens there");
    const std::string request =
        "GET /actuator/health/readiness HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    return context ? answer_over_tls(socket, context, ip, request, until)
                   : answer_in_plain(socket, request, until);
}

bool is_ready(const std::string& ip, std::uint16_t port, const TlsContext& context,
              Clock::time_point until) {
    const std::string where = url::Host{ip}.text(port);
    try {
        const std::string answer = readiness_answer(ip, port, context, until);
        const auto body = answer.find("\r\n\r\n");
        fmt::print("{} {}\n", where,
                   body == std::string::npos ? "is no HTTP server"
                                             : std::string_view(answer).substr(body + 4));
        return answer.starts_with("HTTP/1.1 200 ");
    } catch (const std::runtime_error& failure) {
        fmt::print("{} {}\n", where, failure.what());
        return false;
    }
}

}  // namespace

int ask_health(const config::Values& values, std::span<const std::uint16_t> ports,
               Duration within) {
    const auto until = Clock::now() + within;
    const auto management = management_listen_address(values);
    const std::string ip = management ? management->host : listen_address(values);
    const TlsContext context = local_client_context(values);
    bool are_all_ready = true;
    std::uint16_t offset = 0;
    for (const std::uint16_t api_port : ports) {
        const auto port =
            management ? static_cast<std::uint16_t>(management->port + offset++) : api_port;
        if (port == 0 || (management && management->port == 0)) {
            fmt::print("port 0 was any free one: the service cannot be found\n");
            return 1;
        }
        are_all_ready = is_ready(ip, port, context, until) && are_all_ready;
    }
    return are_all_ready ? 0 : 1;
}

}  // namespace trackops::apps
