#include "platform/http/cors.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "platform/http/setting_list.hpp"

namespace trackops::http {
namespace {

bool is_origin(std::string_view text) {
    for (const std::string_view scheme : {"https://", "http://"}) {
        if (!text.starts_with(scheme)) continue;
        const std::string_view rest = text.substr(scheme.size());
        return !rest.empty() && std::ranges::all_of(rest, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                   std::string_view(".-:[]").contains(c);
        });
    }
    return false;
}

}  // namespace

Result<std::vector<std::string>> parse_origins(std::string_view list) {
    std::vector<std::string> origins;
    for (const std::string_view entry : entries_of(list)) {
        if (!is_origin(entry)) {
            return fail(Errc::invalid, fmt::format("'{}' is no origin such as "
                                                   "https://console.example, in small letters "
                                                   "and without a path",
                                                   entry));
        }
        origins.emplace_back(entry);
    }
    return origins;
}

std::string_view allowed_origin(const Request& request, std::span<const std::string> origins) {
    if (origins.empty()) return {};
    const auto origin = request.header("origin");
    if (!origin) return {};
    const auto found = std::ranges::find(origins, *origin);
    return found == origins.end() ? std::string_view() : std::string_view(*found);
}

bool is_preflight(const Request& request) {
    return request.method == "OPTIONS" && request.header("access-control-request-method");
}

void allow_preflight(Response& response, std::string_view methods) {
    response.headers.emplace_back("Access-Control-Allow-Methods", std::string(methods));
    response.headers.emplace_back(
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, "
        "X-Correlation-ID, traceparent, tracestate");
    response.headers.emplace_back("Access-Control-Max-Age", "600");
}

void append_cors(std::string& out, std::string_view origin) {
    out += "Vary: Origin\r\n";
    if (origin.empty()) return;
    out += "Access-Control-Allow-Origin: ";
    out += origin;
    out +=
        "\r\nAccess-Control-Expose-Headers: ETag, Idempotency-Replayed, Link, Location, RateLimit, "
        "RateLimit-Policy, Retry-After, X-Correlation-ID\r\n";
}

}  // namespace trackops::http
