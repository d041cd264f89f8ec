#include "platform/otlp/post.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>
#include <netdb.h>

#include "base/version.hpp"
#include "platform/http/response_parser.hpp"
#include "platform/url/url.hpp"

namespace trackops::otlp {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t header_bytes_max = 16 * 1024;
constexpr std::size_t body_bytes_max = 64 * 1024;  // of an answer, which says little

struct Failed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// A connected socket whose calls all end at one deadline.
class Connection {
public:
    Connection(const Endpoint& endpoint, Steady::time_point deadline) : deadline_(deadline) {
        addrinfo wanted{};
        wanted.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        const std::string port = std::to_string(endpoint.port);
        const int fault = ::getaddrinfo(endpoint.host.c_str(), port.c_str(), &wanted, &found);
        if (fault != 0) throw Failed(::gai_strerror(fault));
        const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, ::freeaddrinfo);
        int error = 0;
        for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
            error = connect_to(*one);
            if (error == 0) return;
        }
        throw Failed(std::strerror(error));
    }
    ~Connection() { close(); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            wait_for(POLLOUT);
            const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno == EAGAIN) continue;
            if (sent < 0) throw Failed(std::strerror(errno));
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    // Returns the next bytes; none at the end of the stream.
    std::string_view receive() {
        for (;;) {
            wait_for(POLLIN);
            const auto count = ::recv(fd_, bytes_, sizeof bytes_, 0);
            if (count < 0 && errno == EAGAIN) continue;
            if (count < 0) throw Failed(std::strerror(errno));
            return {bytes_, static_cast<std::size_t>(count)};
        }
    }

private:
    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }
    // Returns 0 or the error.
    int connect_to(const addrinfo& address) {
        close();
        fd_ = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd_ < 0) return errno;
        if (::connect(fd_, address.ai_addr, address.ai_addrlen) == 0) return 0;
        if (errno != EINPROGRESS) return errno;
        wait_for(POLLOUT);
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
        return error;
    }
    void wait_for(short what) {
        for (;;) {
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Steady::now()).count();
            if (left <= 0) throw Failed("no answer in time");
            pollfd waiting{fd_, what, 0};
            const int ready = ::poll(&waiting, 1, static_cast<int>(left));
            if (ready > 0) return;
            if (ready < 0 && errno != EINTR) throw Failed(std::strerror(errno));
        }
    }

    const Steady::time_point deadline_;
    int fd_ = -1;
    char bytes_[8192];
};

std::string request_head(const Endpoint& endpoint, const std::vector<Header>& headers,
                         std::size_t body_bytes) {
    std::string head = fmt::format(
        "POST {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: trackops/{}\r\nConnection: close\r\n"
        "Content-Type: application/json\r\nContent-Length: {}\r\n",
        endpoint.path, url::Host{endpoint.host, endpoint.port}.text(endpoint.port), version,
        body_bytes);
    for (const Header& header : headers)
        head += fmt::format("{}: {}\r\n", header.name, header.value.reveal());
    return head + "\r\n";
}

// Only the form in seconds; collectors send no dates.
Duration retry_after_of(const http::ResponseParser& answer) {
    constexpr std::int64_t seconds_max = 3600;
    const auto text = answer.header("Retry-After");
    std::int64_t seconds = 0;
    if (!text ||
        std::from_chars(text->data(), text->data() + text->size(), seconds).ec != std::errc{})
        return Duration::zero();
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, seconds_max));
}

PostResult exchange(const Endpoint& endpoint, const std::vector<Header>& headers,
                    Steady::time_point deadline, const std::string& body) {
    Connection connection(endpoint, deadline);
    connection.send(request_head(endpoint, headers, body.size()) + body);
    http::ResponseParser answer(header_bytes_max, body_bytes_max);
    for (;;) {
        const std::string_view bytes = connection.receive();
        if (bytes.empty()) {
            if (!answer.end_input()) throw Failed("the answer ended before it was whole");
            break;
        }
        const auto is_whole = answer.receive(bytes);
        if (!is_whole) throw Failed(is_whole.error().detail);
        if (*is_whole) break;
    }
    return {answer.status(), retry_after_of(answer), std::move(answer.body()), {}};
}

[[noreturn]] void refuse_headers(std::string_view why) {
    throw std::invalid_argument(
        fmt::format("a list of names and values: {}; the form is name=value,name=value", why));
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned byte = 0;
        const char* const digits = text.data() + i + 1;
        const bool is_escape = text[i] == '%' && i + 2 < text.size() &&
                               std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2;
        if (is_escape) i += 2;
        out += is_escape ? static_cast<char>(byte) : text[i];
    }
    return out;
}

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

bool is_token(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
    });
}

}  // namespace

Endpoint parse_endpoint(std::string_view text, std::string_view append) {
    constexpr url::Form form{
        .what = "OTLP endpoint", .example = "http://127.0.0.1:4318", .scheme = "http"};
    if (url::scheme_of(text) == "https")
        url::refuse(text, form,
                    "TLS is not spoken here: send to a collector on this host, which can");
    const url::Url parts = url::parse_url(text, form);
    if (parts.hosts.size() != 1) url::refuse(text, form, "it must name one host");
    if (!parts.user.empty() || parts.password)
        url::refuse(text, form, "credentials belong into OTEL_EXPORTER_OTLP_HEADERS");
    if (!parts.parameters.empty() || !parts.secret_parameters.empty())
        url::refuse(text, form, "it has parameters");
    Endpoint endpoint{parts.hosts[0].name, parts.hosts[0].port.value_or(80), parts.path};
    if (endpoint.path.find_first_of(" \r\n") != std::string::npos)
        url::refuse(text, form, "its path is not one of HTTP");
    if (!append.empty()) {
        if (!endpoint.path.ends_with('/')) endpoint.path += '/';
        endpoint.path += append;
    }
    if (endpoint.path.empty()) endpoint.path = "/";
    return endpoint;
}

std::vector<Header> parse_headers(std::string_view text) {
    std::vector<Header> headers;
    while (!text.empty()) {
        const std::string_view one = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), one.size() + 1));
        if (trimmed(one).empty()) continue;
        const std::size_t equals = one.find('=');
        if (equals == std::string_view::npos) refuse_headers("a part has no =");
        const std::string_view name = trimmed(one.substr(0, equals));
        if (!is_token(name)) refuse_headers("a name is not one of HTTP");
        std::string value = percent_decoded(trimmed(one.substr(equals + 1)));
        if (std::ranges::any_of(value, [](unsigned char c) { return c < ' ' || c == 0x7f; }))
            refuse_headers("a value has a control character");
        headers.push_back({std::string(name), Secret(std::move(value))});
    }
    return headers;
}

Post make_http_post(Endpoint endpoint, std::vector<Header> headers) {
    return [endpoint = std::move(endpoint), headers = std::move(headers)](
               const std::string& body, Duration within) -> PostResult {
        try {
            return exchange(endpoint, headers, Steady::now() + within, body);
        } catch (const std::exception& failure) {
            return {.error = failure.what()};
        }
    };
}

}  // namespace trackops::otlp
