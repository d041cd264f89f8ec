#include "apps/routes.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "event_relay/module.hpp"
#include "inventory/application.hpp"
#include "order/application.hpp"
#include "platform/http/route.hpp"
#include "platform/http/server.hpp"
#include "platform/json/writer.hpp"

namespace trackops::apps {
namespace {

constexpr std::string_view usage =
    "trackops routes [--json]\n"
    "Prints every route of the three services: scope, body, answer, Idempotency-Key, work.\n";

struct ServiceTable {
    std::string_view service;
    std::vector<http::Route> rows;
};

std::vector<ServiceTable> tables() {
    return {{"order", order::route_table()},
            {"inventory", inventory::route_table()},
            {"relay", event_relay::route_table()}};
}

// Returns 0 for a route without a body, and for one that takes a stream of lines without limit.
std::size_t body_bytes_max(const http::Route& row) {
    if (row.body != http::Body::json) return 0;
    return row.body_bytes_max > 0 ? row.body_bytes_max : http::ServerOptions{}.body_bytes_max;
}

std::string json() {
    std::string text;
    json::Writer out(text);
    out.begin_array();
    for (const auto& [service, rows] : tables()) {
        for (const http::Route& row : rows) {
            out.begin_object()
                .member("service", service)
                .member("method", row.method)
                .member("pattern", row.pattern)
                .member("scope", http::name_of(row.scope))
                .member("body", http::name_of(row.body))
                .member("bodyBytesMax", static_cast<std::int64_t>(body_bytes_max(row)))
                .member("bodyOptional", row.body_optional)
                .member("answer", http::name_of(row.answer))
                .member("idempotencyKey", http::name_of(row.idempotency))
                .member("work", http::name_of(row.work))
                .end_object();
        }
    }
    out.end_array();
    return text + '\n';
}

constexpr auto columns = std::to_array<std::string_view>(
    {"SERVICE", "METHOD", "PATTERN", "SCOPE", "BODY", "ANSWER", "KEY", "WORK"});
using Line = std::array<std::string, columns.size()>;

std::string body_text(const http::Route& row) {
    if (row.body != http::Body::json) return std::string(http::name_of(row.body));
    return fmt::format("{} {} KiB{}", http::name_of(row.body), body_bytes_max(row) / 1024,
                       row.body_optional ? " optional" : "");
}

std::string text() {
    std::vector<Line> lines(1);
    std::ranges::copy(columns, lines.front().begin());
    for (const auto& [service, rows] : tables()) {
        for (const http::Route& row : rows) {
            lines.push_back({std::string(service), std::string(row.method),
                             std::string(row.pattern), std::string(http::name_of(row.scope)),
                             body_text(row), std::string(http::name_of(row.answer)),
                             std::string(http::name_of(row.idempotency)),
                             std::string(http::name_of(row.work))});
        }
    }
    std::array<std::size_t, columns.size()> widths{};
    for (const Line& line : lines) {
        for (std::size_t i = 0; i < line.size(); ++i)
            widths[i] = std::max(widths[i], line[i].size());
    }
    std::string out;
    for (const Line& line : lines) {
        for (std::size_t i = 0; i + 1 < line.size(); ++i)
            out += fmt::format("{:<{}}", line[i], widths[i] + 2);
        out += line.back() + '\n';
    }
    return out;
}

int print(std::FILE* to, std::string_view what, int exit_code) {
    std::fwrite(what.data(), 1, what.size(), to);
    return exit_code;
}

}  // namespace

int routes(std::span<const std::string> arguments, std::span<const std::string>) {
    if (arguments.empty()) return print(stdout, text(), 0);
    if (arguments.size() == 1 && arguments[0] == "--json") return print(stdout, json(), 0);
    if (arguments.size() == 1 && arguments[0] == "--help") return print(stdout, usage, 0);
    return print(stderr, usage, 2);
}

}  // namespace trackops::apps
