#include "apps/listen_settings.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdint>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace trackops::apps {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

// Returns the bytes of an IPv6 address, or of an IPv4 address as ::ffff:a.b.c.d.
std::optional<Bytes> ip_bytes(const std::string& text) {
    Bytes bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (::inet_pton(AF_INET, text.c_str(), bytes.data() + 12) == 1) return bytes;
    if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
    return std::nullopt;
}

bool is_loopback(const Bytes& ip) {
    constexpr Bytes v6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    constexpr Bytes v4{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};
    return ip == v6 || std::equal(ip.begin(), ip.begin() + 13, v4.begin());
}

// Returns the IP address that the text means, without brackets; nothing if it means none.
std::optional<std::string> ip_of(std::string_view text) {
    if (text == "localhost") return "127.0.0.1";
    const bool is_bracketed = text.starts_with('[') && text.ends_with(']') && text.contains(':');
    std::string ip(is_bracketed ? text.substr(1, text.size() - 2) : text);
    if (!ip_bytes(ip)) return std::nullopt;
    return ip;
}

std::string fault_of_address(std::string_view setting, std::string_view host, bool behind_proxy) {
    const auto ip = ip_of(host);
    if (!ip) return fmt::format("{}: '{}' is neither an IP address nor localhost", setting, host);
    if (behind_proxy || is_loopback(ip_bytes(*ip).value())) return {};
    return fmt::format(
        "{}: {} can be reached from other machines, and there is no TLS yet: listen on 127.0.0.1, "
        "or give --behind-proxy if a proxy, a firewall or a network policy lets only trusted "
        "callers through",
        setting, host);
}

}  // namespace

std::string fault_of_listening(const config::Values& values) {
    const bool behind_proxy = values.flag("behind-proxy");
    std::string fault = fault_of_address("address", values.text("address"), behind_proxy);
    const std::string& management = values.text("management-address");
    if (!fault.empty() || management.empty()) return fault;
    const auto listen = service::ListenAddress::parse(management);
    if (!listen) return "management-address must be HOST:PORT";
    return fault_of_address("management-address", listen->host, behind_proxy);
}

std::string listen_address(const config::Values& values) {
    return ip_of(values.text("address")).value();
}

std::optional<service::ListenAddress> management_listen_address(const config::Values& values) {
    auto listen = service::ListenAddress::parse(values.text("management-address"));
    if (listen) listen->host = ip_of(listen->host).value();
    return listen;
}

std::string exposure_warning(const config::Values& values) {
    std::vector<std::string> reachable;
    if (std::string address = listen_address(values); !is_loopback(ip_bytes(address).value()))
        reachable.push_back(std::move(address));
    if (auto listen = management_listen_address(values);
        listen && !is_loopback(ip_bytes(listen->host).value()))
        reachable.push_back(fmt::format("{} (management)", listen->host));
    if (reachable.empty()) return {};
    const char* const danger =
        values.text("access-file").empty()
            ? "without a login: everybody who can reach the port may read and change everything"
            : "without TLS: everybody on the way can read the keys and the answers";
    return fmt::format(
        "listens on {} {}; --behind-proxy says that a proxy, a firewall or a network policy lets "
        "only trusted callers through",
        fmt::join(reachable, " and "), danger);
}

}  // namespace trackops::apps
