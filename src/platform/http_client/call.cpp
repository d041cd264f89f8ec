#include "platform/http_client/call.hpp"

#include <stdexcept>

#include <fmt/format.h>

#include "base/version.hpp"
#include "platform/http/client_address.hpp"
#include "platform/http_client/connection.hpp"
#include "platform/tls/context.hpp"
#include "platform/url/url.hpp"

namespace trackops::http_client {
namespace {

constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

std::string bytes_of(const Server& server, const Call& call) {
    std::string bytes = fmt::format(
        "{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: trackops/{}\r\nConnection: close\r\n",
        call.method, call.path, server.authority(), version);
    for (const auto& [name, value] : call.headers)
        bytes += fmt::format("{}: {}\r\n", name, value.reveal());
    if (!call.body.empty() || call.method != "GET")
        bytes += fmt::format("Content-Length: {}\r\n", call.body.reveal().size());
    bytes += "\r\n";
    return bytes + call.body.reveal();
}

Result<Answer> exchange(const Server& server, const TlsContext& context, const Call& call,
                        std::chrono::steady_clock::time_point deadline) {
    Connection connection(server.host, server.port, server.has_tls ? context : nullptr, deadline);
    const Secret bytes(bytes_of(server, call));
    connection.send(bytes.reveal());
    auto answer =
        std::make_unique<http::ResponseParser>(call.header_bytes_max, call.body_bytes_max);
    for (bool is_whole = false; !is_whole;) {
        const std::string_view received = connection.receive();
        if (received.empty()) {
            if (!answer->end_input())
                return fail(Errc::unavailable, "the answer ended before it was whole");
            break;
        }
        is_whole = TRY(answer->receive(received));
    }
    return answer;
}

}  // namespace

std::string Server::authority() const { return url::Host{host, port}.text(port); }

std::string Server::url() const {
    return fmt::format("{}://{}", has_tls ? "https" : "http", authority());
}

bool Server::is_loopback() const {
    if (host == "localhost") return true;
    const auto address = http::parse_client_address(host);
    return address && http::is_loopback(*address);
}

Result<Target> parse_target(std::string_view text, std::string_view what) {
    const url::Form form{.what = what,
                         .example = "http://127.0.0.1:8080",
                         .scheme = "http",
                         .other_scheme = "https"};
    try {
        const url::Url url = url::parse_url(text, form);
        const url::Host& host = url.hosts.front();
        if (url.hosts.size() > 1 || host.name.empty())
            url::refuse(text, form, "it must name one host");
        if (!url.user.empty() || url.password) url::refuse(text, form, "it has credentials");
        if (!url.parameters.empty() || !url.secret_parameters.empty())
            url::refuse(text, form, "it has parameters");
        if (url.path.find_first_of(" \r\n\t") != std::string::npos)
            url::refuse(text, form, "its path is not one of HTTP");
        const bool has_tls = url.scheme == "https";
        return Target{{has_tls, host.name, host.port.value_or(has_tls ? https_port : http_port)},
                      url.path.empty() ? "/" : url.path};
    } catch (const std::invalid_argument& refusal) {
        return fail(Errc::invalid, refusal.what());
    }
}

Result<Server> parse_server(std::string_view text, std::string_view what) {
    Target target = TRY(parse_target(text, what));
    if (target.path != "/") return fail(Errc::invalid, fmt::format("the {} has a path", what));
    return std::move(target.server);
}

Result<TlsContext> trusting(const std::string& ca_file) {
    std::string ca;
    if (!ca_file.empty()) {
        auto text = tls::read_pem_file(ca_file);
        if (!text) return fail(Errc::invalid, "ca-file: " + text.error().detail);
        if (text->empty()) return fail(Errc::invalid, "ca-file: " + ca_file + " is empty");
        ca = *std::move(text);
    }
    return tls::make_client_context(ca);
}

Result<Answer> call(const Server& server, const TlsContext& context, const Call& call,
                    std::chrono::steady_clock::time_point deadline) {
    if (server.has_tls && !context)
        return fail(Errc::internal, "no authorities are known for a server with TLS");
    try {
        return exchange(server, context, call, deadline);
    } catch (const std::runtime_error& failure) {
        return fail(Errc::unavailable, failure.what());
    }
}

}  // namespace trackops::http_client
