#include "platform/otlp/post.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>

#include "platform/http_client/call.hpp"
#include "platform/url/url.hpp"

namespace trackops::otlp {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t header_bytes_max = 16 * 1024;
constexpr std::size_t body_bytes_max = 64 * 1024;  // of an answer, which says little

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

http_client::Call call_of(const Endpoint& endpoint, const std::vector<Header>& headers,
                          const std::string& body) {
    http_client::Call call{.method = "POST",
                           .path = endpoint.path,
                           .headers = {{"Content-Type", Secret("application/json")}},
                           .body = Secret(body),
                           .header_bytes_max = header_bytes_max,
                           .body_bytes_max = body_bytes_max};
    for (const Header& header : headers) call.headers.emplace_back(header.name, header.value);
    return call;
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
        const auto answer =
            http_client::call({.host = endpoint.host, .port = endpoint.port}, nullptr,
                              call_of(endpoint, headers, body), Steady::now() + within);
        if (!answer) return {.error = answer.error().detail};
        http::ResponseParser& whole = **answer;
        return {whole.status(), retry_after_of(whole), std::move(whole.body()), {}};
    };
}

}  // namespace trackops::otlp
