#include "platform/http/trace_context.hpp"

#include <algorithm>
#include <optional>
#include <span>

#include "platform/telemetry/tracer.hpp"

namespace trackops::http {
namespace {

constexpr std::size_t correlation_id_bytes_max = 128;
constexpr std::size_t tracestate_bytes_max = 512;

bool is_visible(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_tracestate(std::string_view text) {
    return text.size() <= tracestate_bytes_max &&
           std::ranges::all_of(text, [](char c) { return c == '\t' || (c >= ' ' && c < 0x7f); });
}

// The span of this request. Its trace is that of `parent`, or a new one.
telemetry::SpanContext span_of(const Uuid& fresh,
                               const std::optional<telemetry::SpanContext>& parent,
                               const telemetry::Tracer* tracer) {
    constexpr auto sampled = telemetry::SpanContext::sampled_flag;
    telemetry::SpanContext span{.trace_id = fresh.bytes};
    if (parent) span = *parent;
    std::ranges::copy(std::span(fresh.bytes).last<8>(), span.span_id.begin());
    if (tracer == nullptr) return span;
    span.flags = static_cast<std::uint8_t>(
        tracer->samples(span.trace_id, parent) ? span.flags | sampled : span.flags & ~sampled);
    return span;
}

}  // namespace

void set_trace_context(Request& request, const Uuid& fresh, const telemetry::Tracer* tracer) {
    RequestContext& context = request.context;
    std::string_view parent;
    std::size_t parents = 0;
    std::string_view correlation;
    std::size_t correlations = 0;
    context.tracestate.clear();
    for (const auto& [name, value] : request.headers) {
        if (name == "traceparent") {
            parent = value;
            ++parents;
        } else if (name == "tracestate") {
            if (!context.tracestate.empty()) context.tracestate += ',';
            context.tracestate += value;
        } else if (name == "x-correlation-id") {
            correlation = value;
            ++correlations;
        }
    }
    const bool keeps = correlations == 1 && !correlation.empty() &&
                       correlation.size() <= correlation_id_bytes_max && is_visible(correlation);
    context.correlation_id = keeps ? std::string(correlation) : fresh.text();
    std::optional<telemetry::SpanContext> continued;
    if (parents == 1) continued = telemetry::parse_traceparent(parent);
    context.span = span_of(fresh, continued, tracer);
    context.parent_span = continued ? continued->span_id : telemetry::SpanId{};
    telemetry::write_traceparent(context.span, context.traceparent);
    if (!continued || !is_tracestate(context.tracestate)) context.tracestate.clear();
}

}  // namespace trackops::http
