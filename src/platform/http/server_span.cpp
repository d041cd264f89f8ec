#include "platform/http/server_span.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "platform/telemetry/tracer.hpp"

namespace trackops::http {
namespace {

// The conventions know no other method: a client must not invent names of spans.
std::string_view known(std::string_view method) {
    constexpr auto methods = std::to_array<std::string_view>(
        {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"});
    return std::ranges::find(methods, method) == methods.end() ? "_OTHER" : method;
}

}  // namespace

void end_server_span(telemetry::Tracer* tracer, const Conversation::Access& access) {
    if (tracer == nullptr) return;
    const auto took = std::chrono::duration_cast<Duration>(access.took);
    const bool has_failed = access.status >= 500;
    if (!access.span.is_sampled() && !has_failed && !tracer->is_slow(took)) return;
    const std::string method(known(access.method));
    const Instant now = tracer->now();
    telemetry::Span span{
        .context = access.span,
        .parent = access.parent_span,
        .tracestate = std::string(access.tracestate),
        .name = method == "_OTHER" ? "HTTP" : method,
        .kind = telemetry::SpanKind::server,
        .start = now - took,
        .end = now,
        .has_failed = has_failed,
        .attributes = {{"http.request.method", method},
                       {"url.scheme", std::string("http")},
                       {"http.response.status_code", std::int64_t{access.status}}}};
    if (access.route) {
        span.name += ' ';
        span.name += access.route->pattern;
        span.attributes.push_back({"http.route", std::string(access.route->pattern)});
    }
    if (!access.path.empty()) span.attributes.push_back({"url.path", std::string(access.path)});
    if (!access.problem_code.empty())
        span.attributes.push_back({"trackops.problem.code", std::string(access.problem_code)});
    if (has_failed) span.attributes.push_back({"error.type", std::to_string(access.status)});
    tracer->end(std::move(span));
}

}  // namespace trackops::http
