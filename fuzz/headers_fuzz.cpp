// Fuzzes the request headers that our code parses: identity and trace, media type, Idempotency-Key,
// If-Match, If-None-Match, Prefer.
#include "fuzz/refusal.hpp"
#include "order/adapters/read_requests.hpp"
#include "platform/http/entity_tag.hpp"
#include "platform/http/idempotency_key.hpp"
#include "platform/http/media_type.hpp"
#include "platform/http/trace_context.hpp"

namespace trackops::fuzz {
namespace {

// Builds a request from lines "name: value".
http::Request request_of(std::string_view rest) {
    http::Request request{.method = "POST", .path = "/api/orders"};
    while (!rest.empty()) {
        std::string_view value = take_line(rest);
        const std::string_view name = take_until(value, ':');
        if (value.starts_with(' ')) value.remove_prefix(1);
        request.headers.emplace_back(name, value);
    }
    return request;
}

bool is_visible(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

void check_trace_context(http::Request request) {
    const Uuid fresh = uuid_v7({1'700'000'000'000'000}, 1, 2);
    http::set_trace_context(request, fresh, nullptr);
    promise(!request.context.correlation_id.empty() &&
                request.context.correlation_id.size() <= 128 &&
                is_visible(request.context.correlation_id),
            "a correlation id is short and visible");
    promise(request.context.traceparent.size() == 55 &&
                request.context.traceparent.starts_with("00-") &&
                request.context.trace_id().find_first_not_of("0123456789abcdef") ==
                    std::string_view::npos,
            "a traceparent is of version 00");
    promise(request.context.tracestate.size() <= 512, "a tracestate is short");
    http::Request next{.headers = {{"traceparent", request.context.traceparent},
                                   {"tracestate", request.context.tracestate},
                                   {"x-correlation-id", request.context.correlation_id}}};
    http::set_trace_context(next, fresh, nullptr);
    promise(next.context.correlation_id == request.context.correlation_id &&
                next.context.trace_id() == request.context.trace_id() &&
                next.context.tracestate == request.context.tracestate,
            "the next hop goes on with the trace");
}

void check_key(const http::Request& request) {
    const auto key = http::read_idempotency_key(request.header("idempotency-key"));
    if (!is_taken(key) || !*key) return;
    promise(!(*key)->empty() && (*key)->size() <= http::idempotency_key_bytes_max,
            "a key is short");
    std::string quoted = "\"";
    for (const char c : **key) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    const auto again = http::read_idempotency_key(quoted + '"');
    promise(again && *again == *key, "bare or quoted, a key is the same");
}

}  // namespace
}  // namespace trackops::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trackops;
    using fuzz::promise;
    const http::Request request = fuzz::request_of(fuzz::text_of(data, size));
    fuzz::check_trace_context(request);
    fuzz::check_key(request);
    if (const auto fault = http::media_type_fault(request, "application/json"))
        promise(!fault->empty(), "a body that is not taken is told why");
    if (const auto wait = order::adapters::read_wait(request); fuzz::is_taken(wait) && *wait)
        promise(**wait > Duration::zero() && **wait <= std::chrono::seconds(5), "waits end");
    const auto condition = http::read_version_condition(request, "order");
    if (fuzz::is_taken(condition) && condition->only) {
        promise(!condition->only->empty(), "a condition names a version");
        http::Request again;
        for (const std::int64_t version : *condition->only)
            again.headers.emplace_back("if-match", http::entity_tag(version));
        promise(http::read_version_condition(again, "order").value().only == condition->only,
                "a version is its own entity tag");
    }
    http::Request reading = request;
    reading.method = "GET";
    const auto response =
        http::conditional_response({.body = "{}", .headers = {{"ETag", "\"3\""}}}, reading);
    promise(response.status == 200 || response.status == 304 || response.status == 412,
            "a condition is met, or not");
    promise(response.status != 304 || response.body.empty(), "304 has no body");
    return 0;
}
