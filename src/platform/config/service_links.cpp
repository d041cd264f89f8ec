#include "platform/config/service_links.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <system_error>

namespace trackops::config {
namespace {

constexpr std::string_view host_suffix = "_SERVICE_HOST";
constexpr std::string_view port_suffix = "_SERVICE_PORT";

bool is_address(std::string_view text) {
    const std::string address(text);
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return ::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1 ||
           ::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
}

bool is_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), port);
    return fault == std::errc() && end == text.data() + text.size() && port != 0;
}

bool is_protocol(std::string_view text) { return text == "tcp" || text == "udp" || text == "sctp"; }

// Returns whether the text is PROTOCOL://ADDRESS:PORT.
bool is_endpoint(std::string_view text) {
    const auto scheme = text.find("://");
    const auto colon = text.rfind(':');
    if (scheme == std::string_view::npos || colon < scheme + 3) return false;
    std::string_view host = text.substr(scheme + 3, colon - scheme - 3);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return is_protocol(text.substr(0, scheme)) && is_address(host) &&
           is_port(text.substr(colon + 1));
}

// The end of a name after _PORT_NUMBER_PROTOCOL, and the form of its value.
struct Form {
    std::string_view suffix;
    bool (*fits)(std::string_view value);
};
constexpr auto port_forms = std::to_array<Form>(
    {{"", is_endpoint}, {"_PROTO", is_protocol}, {"_PORT", is_port}, {"_ADDR", is_address}});

// `name` is what follows _PORT_ in NUMBER_PROTOCOL, NUMBER_PROTOCOL_ADDR, ...
bool is_port_variable(std::string_view name, std::string_view value) {
    const auto digits = std::min(name.find('_'), name.size());
    if (!is_port(name.substr(0, digits))) return false;
    const std::string_view rest = name.substr(digits);
    for (const std::string_view protocol : {"_TCP", "_UDP", "_SCTP"}) {
        if (!rest.starts_with(protocol)) continue;
        const auto* const form =
            std::ranges::find(port_forms, rest.substr(protocol.size()), &Form::suffix);
        return form != port_forms.end() && form->fits(value);
    }
    return false;
}

// `name` is what follows the name of the Service.
bool is_link(std::string_view name, std::string_view value) {
    constexpr std::string_view named_port = "_SERVICE_PORT_";
    constexpr std::string_view port = "_PORT_";
    if (name == host_suffix) return is_address(value);
    if (name == port_suffix) return is_port(value);
    if (name == "_PORT") return is_endpoint(value);
    if (name.starts_with(named_port)) return name.size() > named_port.size() && is_port(value);
    return name.starts_with(port) && is_port_variable(name.substr(port.size()), value);
}

}  // namespace

ServiceLinks::ServiceLinks(std::span<const std::string> environment) {
    for (const std::string_view entry : environment) {
        const auto equals = std::min(entry.find('='), entry.size());
        const std::string_view name = entry.substr(0, equals);
        if (!name.ends_with(host_suffix) || equals == entry.size()) continue;
        if (!is_address(entry.substr(equals + 1))) continue;
        std::string service(name.substr(0, name.size() - host_suffix.size()));
        const std::string port = service + std::string(port_suffix) + '=';
        const bool has_port = std::ranges::any_of(environment, [&](std::string_view other) {
            return other.starts_with(port) && is_port(other.substr(port.size()));
        });
        if (has_port) services_.push_back(std::move(service));
    }
}

bool ServiceLinks::contains(std::string_view name, std::string_view value) const {
    return std::ranges::any_of(services_, [&](const std::string& service) {
        return name.starts_with(service) && is_link(name.substr(service.size()), value);
    });
}

}  // namespace trackops::config
