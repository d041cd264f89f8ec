#include "platform/http/forwarded.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ascii_case.hpp"
#include "platform/http/field_text.hpp"

namespace trackops::http {
namespace {

// Returns the elements of all headers of this name, in order.
std::vector<std::string_view> elements_of(const Request& request, std::string_view name) {
    std::vector<std::string_view> elements;
    for (const auto& [given, value] : request.headers) {
        if (given != name) continue;
        std::string_view rest = value;
        for (;;) {
            const std::size_t comma = std::min(rest.find(','), rest.size());
            elements.push_back(without_white_space(rest.substr(0, comma)));
            if (comma == rest.size()) break;
            rest.remove_prefix(comma + 1);
        }
    }
    return elements;
}

// Returns the value of `for=` or `host=` in one element of Forwarded, without quotation marks.
std::optional<std::string_view> parameter(std::string_view element, std::string_view name) {
    while (!element.empty()) {
        const std::size_t end = std::min(element.find(';'), element.size());
        const std::string_view pair = without_white_space(element.substr(0, end));
        element.remove_prefix(std::min(end + 1, element.size()));
        const std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos) continue;
        if (!equals_in_any_case(pair.substr(0, equals), name)) continue;
        std::string_view value = pair.substr(equals + 1);
        if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"'))
            value = value.substr(1, value.size() - 2);
        return value;
    }
    return std::nullopt;
}

// Parses an address with or without a port: 192.0.2.1, 192.0.2.1:80, [2001:db8::1]:80.
std::optional<ClientAddress> address_of(std::string_view text) {
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        return parse_client_address(std::string(text.substr(1, end - 1)));
    }
    const std::size_t colon = text.find(':');
    const bool has_port = colon != std::string_view::npos && text.rfind(':') == colon;
    return parse_client_address(std::string(has_port ? text.substr(0, colon) : text));
}

struct Said {
    std::vector<std::optional<ClientAddress>> clients;  // nothing: no address
    std::optional<std::string_view> host;               // by the last proxy
    std::optional<std::string_view> scheme;             // the same
};

Said said_by_proxies(const Request& request) {
    Said said;
    if (const auto elements = elements_of(request, "forwarded"); !elements.empty()) {
        for (const std::string_view element : elements) {
            const auto client = parameter(element, "for");
            said.clients.push_back(client ? address_of(*client) : std::nullopt);
        }
        said.host = parameter(elements.back(), "host");
        said.scheme = parameter(elements.back(), "proto");
        return said;
    }
    for (const std::string_view element : elements_of(request, "x-forwarded-for"))
        said.clients.push_back(address_of(element));
    if (const auto hosts = elements_of(request, "x-forwarded-host"); !hosts.empty())
        said.host = hosts.back();
    if (const auto schemes = elements_of(request, "x-forwarded-proto"); !schemes.empty())
        said.scheme = schemes.back();
    return said;
}

}  // namespace

void believe_proxies(Request& request, std::span<const Network> trusted) {
    ClientAddress& client = request.context.client;
    if (!contains(trusted, client)) return;
    const Said said = said_by_proxies(request);
    for (auto hop = said.clients.rbegin(); hop != said.clients.rend() && *hop; ++hop) {
        client = **hop;
        if (!contains(trusted, client)) break;
    }
    if (said.scheme) request.context.is_secure = *said.scheme == "https";
    if (!said.host || said.host->empty()) return;
    std::string named(*said.host);  // its text stands in the headers
    const auto host = std::ranges::find(
        request.headers, "host", [](const auto& header) { return std::string_view(header.first); });
    if (host != request.headers.end()) host->second = std::move(named);
}

}  // namespace trackops::http
