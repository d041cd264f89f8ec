#include "platform/telemetry/span.hpp"

#include <algorithm>
#include <array>

#include "base/hex.hpp"

namespace trackops::telemetry {

// version "-" trace-id "-" parent-id "-" flags. A later version may continue after another dash.
// Trace context knows no upper-case digits.
std::optional<SpanContext> parse_traceparent(std::string_view text) {
    if (text.size() < traceparent_bytes || text[2] != '-' || text[35] != '-' || text[52] != '-' ||
        std::ranges::any_of(text.substr(0, traceparent_bytes),
                            [](char c) { return c >= 'A' && c <= 'F'; }))
        return std::nullopt;
    std::uint8_t version = 0;
    SpanContext span;
    if (!read_hex_byte(text.data(), version) || version == 0xff ||
        !read_hex(text.substr(3, 32), span.trace_id) ||
        !read_hex(text.substr(36, 16), span.span_id) ||
        !read_hex_byte(text.data() + 53, span.flags))
        return std::nullopt;
    if (text.size() > traceparent_bytes && (version == 0 || text[traceparent_bytes] != '-'))
        return std::nullopt;
    if (!span.is_valid()) return std::nullopt;
    return span;
}

bool is_sampled(std::string_view traceparent) {
    if (traceparent.size() < traceparent_bytes) return false;
    const std::uint8_t last = hex_value(traceparent[traceparent_bytes - 1]);
    return last != no_hex && (last & SpanContext::sampled_flag) != 0;
}

void write_traceparent(const SpanContext& span, std::string& out) {
    std::array<char, traceparent_bytes> text;
    char* at = text.data();
    at = write_hex_byte(0, at);
    *at++ = '-';
    for (const std::uint8_t byte : span.trace_id) at = write_hex_byte(byte, at);
    *at++ = '-';
    for (const std::uint8_t byte : span.span_id) at = write_hex_byte(byte, at);
    *at++ = '-';
    write_hex_byte(span.flags, at);
    out.assign(text.data(), text.size());
}

std::size_t bytes_of(const Span& span) {
    std::size_t bytes = sizeof span + span.name.size() + span.tracestate.size() +
                        span.links.size() * sizeof(SpanContext);
    for (const Attribute& attribute : span.attributes) {
        bytes += sizeof attribute;
        if (const auto* text = std::get_if<std::string>(&attribute.value)) bytes += text->size();
    }
    return bytes;
}

}  // namespace trackops::telemetry
