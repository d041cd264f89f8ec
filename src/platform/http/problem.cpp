#include "platform/http/problem.hpp"

// The only table from Errc to what a client sees (RFC 9457).
#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include <fmt/format.h>

#include "base/hex.hpp"
#include "platform/http/message.hpp"
#include "platform/http/target.hpp"
#include "platform/json/writer.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/log_gate.hpp"

namespace trackops::http {
namespace {

struct Kind {
    Errc errc;
    int status;
    std::string_view code;
    std::string_view title;
    int retry_after_seconds = 0;  // 0: no Retry-After
    // Replaces the error's own detail, which may reveal internals and goes to the log.
    std::string_view fixed_detail = {};
};

constexpr auto kinds = std::to_array<Kind>({
    {Errc::malformed, 400, "malformed-request", "The request could not be read"},
    {Errc::invalid, 422, "invalid-request", "The request is not valid"},
    {Errc::unauthorized, 401, "unauthorized", "Valid credentials are required"},
    {Errc::forbidden, 403, "forbidden", "The caller may not do this"},
    {Errc::not_found, 404, "not-found", "There is no such thing"},
    {Errc::method_not_allowed, 405, "method-not-allowed", "The path does not know this method"},
    {Errc::conflict, 409, "conflict", "The present state forbids it"},
    {Errc::illegal_transition, 409, "illegal-transition", "The life of an order has no such step"},
    {Errc::precondition_failed, 412, "precondition-failed",
     "The thing has changed since it was read"},
    {Errc::precondition_required, 428, "precondition-required",
     "A precondition header is required"},
    {Errc::key_reused, 422, "idempotency-key-reused",
     "The Idempotency-Key was used for another request"},
    {Errc::too_large, 413, "too-large", "The request is too large"},
    {Errc::header_too_large, 431, "header-too-large", "The request's headers are too large"},
    {Errc::unsupported_media_type, 415, "unsupported-media-type",
     "The body is of a type that is not taken here"},
    {Errc::misdirected, 421, "misdirected-request", "The host is not a name of this service"},
    {Errc::timeout, 408, "request-timeout", "The request took too long to arrive"},
    {Errc::rate_limited, 429, "rate-limited", "The caller sends more requests than it may", 1},
    {Errc::overloaded, 503, "overloaded", "Too much is waiting already", 1},
    {Errc::unavailable, 503, "unavailable", "Something this needs is away for the moment", 2,
     "try again in a moment"},
    {Errc::outcome_unknown, 503, "outcome-unknown",
     "It is not known whether the request took effect", 1},
    {Errc::internal, 500, "internal-error", "Something went wrong on our side", 0,
     "the trace id finds it in our log"},
});

constexpr bool is_complete() {
    if (kinds.size() != errc_count) return false;
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        const bool must_say_when = kinds[i].status == 503 || kinds[i].status == 429;
        if (static_cast<std::size_t>(kinds[i].errc) != i ||
            (must_say_when && kinds[i].retry_after_seconds == 0))
            return false;
    }
    return true;
}
static_assert(is_complete());  // a new Errc without a row does not compile

const Kind& kind_of(Errc code) { return kinds.at(static_cast<std::size_t>(code)); }

// In an outage every request fails for the same reason.
void log_failure(const Kind& kind, const Error& error, const Request& request) {
    static telemetry::LogGate gate;
    const auto level =
        error.code == Errc::internal ? telemetry::Level::error : telemetry::Level::warn;
    if (!telemetry::is_logged(level)) return;
    const auto held_back =
        gate.admit(fmt::format("{} {}", kind.code, error.detail), std::chrono::steady_clock::now());
    if (!held_back) return;
    const RequestContext& context = request.context;
    telemetry::log(level, "http", "a request failed",
                   {{"code", std::string(kind.code)},
                    {"detail", error.detail},
                    {"path", request.path},
                    {"lines_held_back", std::to_string(*held_back)},
                    {"trace_id", std::string(context.trace_id())},
                    {"span_id", hex(context.span.span_id)},
                    {"correlation_id", context.correlation_id}});
}

// The value of WWW-Authenticate (RFC 6750, section 3).
std::string challenge(const Principal& caller) {
    constexpr std::string_view bearer = R"(Bearer realm="trackops")";
    if (caller.fault.empty()) return std::string(bearer);
    return fmt::format(R"({}, error="invalid_token", error_description="{}")", bearer,
                       caller.fault);
}

}  // namespace

int status_of(Errc code) { return kind_of(code).status; }
std::string_view code_of(Errc code) { return kind_of(code).code; }
std::string_view title_of(Errc code) { return kind_of(code).title; }

std::string_view shown_detail(const Error& error) {
    const std::string_view fixed = kind_of(error.code).fixed_detail;
    return fixed.empty() ? std::string_view(error.detail) : fixed;
}

std::string_view problem_code_of(const Response& response) {
    constexpr std::string_view before = "\"code\":\"";
    if (response.content_type != "application/problem+json") return {};
    const std::string_view body = response.body;
    const std::size_t at = body.find(before);
    if (at == std::string_view::npos) return {};
    const std::string_view rest = body.substr(at + before.size());
    return rest.substr(0, rest.find('"'));
}

Response problem(const Error& error, const Request& request) {
    const Kind& kind = kind_of(error.code);
    if (!kind.fixed_detail.empty()) log_failure(kind, error, request);
    Response response{.status = kind.status, .content_type = "application/problem+json"};
    response.body.reserve(384);
    json::Writer writer(response.body);
    writer.begin_object();
    writer.member("type", "https://trackops.dev/problems/" + std::string(kind.code));
    writer.member("title", kind.title).member("status", kind.status);
    writer.member("detail", shown_detail(error));
    if (!request.path.empty()) writer.member("instance", percent_encoded_path(request.path));
    writer.member("code", kind.code).member("traceId", request.context.trace_id());
    if (!error.fields.empty()) {
        writer.name("errors").begin_array();
        for (const auto& fault : error.fields) {
            writer.begin_object()
                .member("pointer", fault.pointer)
                .member("detail", fault.detail)
                .member("code", fault.code)
                .end_object();
        }
        writer.end_array();
    }
    writer.end_object();
    // RFC 9110, section 12.5.3: names the codings that are taken, after one that is not.
    if (error.code == Errc::unsupported_media_type && request.header("content-encoding"))
        response.headers.emplace_back("Accept-Encoding", "identity");
    if (error.code == Errc::unauthorized)
        response.headers.emplace_back("WWW-Authenticate", challenge(*request.context.principal));
    if (kind.retry_after_seconds > 0)
        response.headers.emplace_back("Retry-After", std::to_string(kind.retry_after_seconds));
    return response;
}

}  // namespace trackops::http
