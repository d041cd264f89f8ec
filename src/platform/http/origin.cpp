#include "platform/http/origin.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <optional>

#include <fmt/format.h>

#include "base/ascii_case.hpp"
#include "platform/http/cors.hpp"
#include "platform/http/setting_list.hpp"

namespace trackops::http {
namespace {

constexpr std::size_t host_bytes_max = 253;  // of a name in the DNS

struct Authority {
    std::string host;       // in lower case, without a dot at its end; IPv6 in brackets
    std::string_view port;  // digits; empty if there is none
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// An underscore is not allowed in the DNS, but Compose and Docker give such names.
bool is_name(std::string_view host) {
    return !host.empty() && host.size() <= host_bytes_max && host.front() != '.' &&
           std::ranges::all_of(host, [](char c) {
               return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_' || c == '.';
           });
}

bool is_ipv4(const std::string& host) {
    in_addr address{};
    return ::inet_pton(AF_INET, host.c_str(), &address) == 1;
}

// Whether the text is an IPv6 address in brackets.
bool is_ipv6(std::string_view host) {
    if (!host.starts_with('[') || !host.ends_with(']')) return false;
    const std::string inside(host.substr(1, host.size() - 2));
    in6_addr address{};
    return ::inet_pton(AF_INET6, inside.c_str(), &address) == 1;
}

bool is_ip(const std::string& host) { return is_ipv6(host) || is_ipv4(host); }

std::optional<Authority> parse_authority(std::string_view text) {
    // The colon of a port stands behind the bracket of an IPv6 address.
    const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
    const std::size_t colon = std::min(text.find(':', bracket), text.size());
    Authority authority{in_lower_case(text.substr(0, colon)),
                        text.substr(std::min(colon + 1, text.size()))};
    if (authority.host.ends_with('.')) authority.host.pop_back();
    if (authority.port.size() > 5 || !std::ranges::all_of(authority.port, is_digit) ||
        !(is_ipv6(authority.host) || is_name(authority.host)))
        return std::nullopt;
    return authority;
}

// No attacker can own these names: an address needs no DNS, and `localhost` is reserved (RFC 6761).
bool is_local_name(const std::string& host) {
    return is_ip(host) || host == "localhost" || host.ends_with(".localhost");
}

bool is_safe(std::string_view method) {
    return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

// Whether a page of `origin` (the header's value) is served by `host`.
bool is_same_origin(std::string_view origin, const std::optional<Authority>& host) {
    const bool is_https = origin.starts_with("https://");
    if (!host || (!is_https && !origin.starts_with("http://"))) return false;
    const auto page = parse_authority(origin.substr(is_https ? 8 : 7));
    if (!page || page->host != host->host) return false;
    const auto port_of = [is_https](const Authority& authority) {
        if (!authority.port.empty()) return authority.port;
        return is_https ? std::string_view("443") : std::string_view("80");
    };
    return port_of(*page) == port_of(*host);
}

Result<void> check_page(const Request& request, const std::optional<Authority>& host) {
    const auto site = request.header("sec-fetch-site");
    const auto origin = request.header("origin");
    const bool is_foreign_site = site && (*site == "cross-site" || *site == "same-site");
    if (!is_foreign_site && (!origin || is_same_origin(*origin, host))) return {};
    return fail(Errc::forbidden,
                "a web page of another origin may not change anything here: only a page from the "
                "host and port of this request may, and a proxy must leave Host as it was sent");
}

}  // namespace

Result<std::vector<std::string>> parse_host_names(std::string_view list) {
    std::vector<std::string> names;
    for (const std::string_view entry : entries_of(list)) {
        auto authority = parse_authority(entry);
        if (!authority || entry.contains(':')) {
            return fail(Errc::invalid,
                        fmt::format("'{}' is no host name; a name has no scheme and no port, such "
                                    "as shop.example",
                                    entry));
        }
        names.push_back(std::move(authority->host));
    }
    return names;
}

Result<void> check_origin(const Request& request, std::span<const std::string> public_hosts,
                          std::span<const std::string> cors_origins) {
    std::optional<Authority> host;
    if (const auto given = request.header("host").value_or(""); !given.empty()) {
        host = parse_authority(given);
        if (!host) return fail(Errc::malformed, "Host is not of the form HOST or HOST:PORT");
        if (!is_local_name(host->host) &&
            std::ranges::find(public_hosts, host->host) == public_hosts.end()) {
            return fail(Errc::misdirected,
                        fmt::format("this service does not have the name '{}': use localhost, an "
                                    "IP address or a name of the setting public-host",
                                    host->host));
        }
    }
    if (is_safe(request.method) || !allowed_origin(request, cors_origins).empty()) return {};
    return check_page(request, host);
}

Result<void> OriginCheck::check(const Request& request) {
    const std::string_view host = request.header("host").value_or("");
    if (host == passed_ && is_safe(request.method)) return {};
    TRY(check_origin(request, public_hosts_, cors_origins_));
    if (host != passed_) passed_ = host;
    return {};
}

}  // namespace trackops::http
