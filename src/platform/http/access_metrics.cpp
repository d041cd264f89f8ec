#include "platform/http/access_metrics.hpp"

#include <algorithm>

#include "base/hex.hpp"

namespace trackops::http {
namespace {

constexpr auto limit_names = std::to_array<std::string_view>(
    {"connections", "connections_of_address", "worker_queue", "worker_queue_of_address",
     "bulk_requests", "bulk_requests_of_address", "body_bytes", "header_bytes", "pipelined",
     "in_work", "unsent_bytes", "read_time", "idle_time", "write_time", "answer_time",
     "handshake_time", "handshake_bytes"});

// Returns Micrometer's word for the class of a status.
std::string_view outcome_of(int status) {
    constexpr auto outcomes = std::to_array<std::string_view>(
        {"INFORMATIONAL", "SUCCESS", "REDIRECTION", "CLIENT_ERROR", "SERVER_ERROR"});
    const int hundreds = status / 100;
    if (hundreds < 1 || hundreds > 5) return "UNKNOWN";
    return outcomes.at(static_cast<std::size_t>(hundreds - 1));
}

}  // namespace

AccessMetrics::AccessMetrics(telemetry::Registry& registry, const std::vector<Route>& routes)
    : registry_(registry), first_route_(routes.data()) {
    for (const auto& route : routes) {
        rows_.push_back({std::string(route.method), std::string(route.pattern)});
        rows_.push_back({"HEAD", std::string(route.pattern)});
    }
    for (const auto* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"})
        unknown_.push_back({method, "UNKNOWN"});
    static_assert(limit_names.size() == limit_count);
    for (std::size_t i = 0; i < limit_count; ++i) {
        limits_[i] = &registry.counter("http_server_limit_reached_total",
                                       "Times a limit of the HTTP server was reached",
                                       {{"limit", std::string(limit_names[i])}});
    }
}

AccessMetrics::Row& AccessMetrics::row_of(const Conversation::Access& access) {
    if (access.route)
        return rows_[static_cast<std::size_t>(access.route - first_route_) * 2 +
                     (access.method == "HEAD" ? 1 : 0)];
    const auto found = std::ranges::find(unknown_, access.method, &Row::method);
    return found == unknown_.end() ? unknown_.back() : *found;
}

void AccessMetrics::observe(const Conversation::Access& access) {
    Row& row = row_of(access);
    auto found = std::ranges::find(row.by_status, access.status,
                                   [](const auto& entry) { return entry.first; });
    if (found == row.by_status.end()) {
        auto& histogram = registry_.histogram(
            "http_server_requests_seconds", "From a request's first byte to its answer",
            // outcome and exception follow from the status, so they add no series.
            {{"method", row.method},
             {"uri", row.uri},
             {"status", std::to_string(access.status)},
             {"outcome", std::string(outcome_of(access.status))},
             {"exception", "None"}});
        found = row.by_status.emplace(row.by_status.end(), access.status, &histogram);
    }
    const std::string exemplar =
        access.span.is_sampled() ? hex(access.span.trace_id) : std::string();
    found->second->observe(std::chrono::duration<double>(access.took).count(), exemplar);
}

}  // namespace trackops::http
