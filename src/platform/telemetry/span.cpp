#include "platform/telemetry/span.hpp"

#include <algorithm>

namespace trackops::telemetry {
namespace {

// Returns 0 to 15, or -1. Trace context knows no upper-case digits.
int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

bool read_hex(std::string_view text, std::uint8_t* bytes) {
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = digit_of(text[i]);
        const int low = digit_of(text[i + 1]);
        if (high < 0 || low < 0) return false;
        *bytes++ = static_cast<std::uint8_t>(high * 16 + low);
    }
    return true;
}

}  // namespace

// version "-" trace-id "-" parent-id "-" flags. A later version may continue after another dash.
std::optional<SpanContext> parse_traceparent(std::string_view text) {
    if (text.size() < traceparent_bytes || text[2] != '-' || text[35] != '-' || text[52] != '-')
        return std::nullopt;
    std::uint8_t version = 0;
    SpanContext span;
    if (!read_hex(text.substr(0, 2), &version) || version == 0xff ||
        !read_hex(text.substr(3, 32), span.trace_id.data()) ||
        !read_hex(text.substr(36, 16), span.span_id.data()) ||
        !read_hex(text.substr(53, 2), &span.flags))
        return std::nullopt;
    if (text.size() > traceparent_bytes && (version == 0 || text[traceparent_bytes] != '-'))
        return std::nullopt;
    if (!span.is_valid()) return std::nullopt;
    return span;
}

bool is_sampled(std::string_view traceparent) {
    if (traceparent.size() < traceparent_bytes) return false;
    return (digit_of(traceparent[traceparent_bytes - 1]) & SpanContext::sampled_flag) != 0 &&
           digit_of(traceparent[traceparent_bytes - 1]) >= 0;
}

void append_hex(std::string& out, const std::uint8_t* bytes, std::size_t count) {
    constexpr std::string_view digits = "0123456789abcdef";
    const std::size_t start = out.size();
    out.resize(start + 2 * count);
    char* at = out.data() + start;
    for (std::size_t i = 0; i < count; ++i) {
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
}

void write_traceparent(const SpanContext& span, std::string& out) {
    out.clear();
    out.reserve(traceparent_bytes);
    out += "00-";
    append_hex(out, span.trace_id.data(), span.trace_id.size());
    out += '-';
    append_hex(out, span.span_id.data(), span.span_id.size());
    out += '-';
    append_hex(out, &span.flags, 1);
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
