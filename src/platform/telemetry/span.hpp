// Spans of traces, and the W3C traceparent that carries a span's identity from service to service.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/instant.hpp"

namespace trackops::telemetry {

using TraceId = std::array<std::uint8_t, 16>;
using SpanId = std::array<std::uint8_t, 8>;  // all zero: no span

inline constexpr std::size_t traceparent_bytes = 55;  // of version 00

// The identity of a span.
struct SpanContext {
    static constexpr std::uint8_t sampled_flag = 1;

    TraceId trace_id{};
    SpanId span_id{};
    std::uint8_t flags = 0;  // trace-flags of W3C Trace Context

    bool is_sampled() const { return (flags & sampled_flag) != 0; }
    bool is_valid() const { return trace_id != TraceId{} && span_id != SpanId{}; }
    bool operator==(const SpanContext&) const = default;
};

// Returns the span that a traceparent names; nothing if it is malformed (W3C Trace Context, level
// 1). Of a version after 00 the first four fields are taken.
std::optional<SpanContext> parse_traceparent(std::string_view text);
// Returns whether the flags of a well-formed traceparent say that its trace is recorded; false for
// one that is too short. Cheap: looks at one character.
bool is_sampled(std::string_view traceparent);
// Writes a traceparent of version 00 over `out`, which allocates nothing if it has room.
void write_traceparent(const SpanContext& span, std::string& out);

// The names and numbers of OTLP.
enum class SpanKind : std::uint8_t {
    internal = 1,
    server = 2,
    client = 3,
    producer = 4,
    consumer = 5
};

struct Attribute {
    std::string_view name;  // static, of the OpenTelemetry semantic conventions or trackops.*
    std::variant<std::int64_t, bool, std::string> value;
};

struct Span {
    // A longer text is cut when it is sent; further attributes and links are left out by the code
    // that makes the span.
    static constexpr std::size_t text_bytes_max = 256;
    static constexpr std::size_t links_max = 32;

    SpanContext context;
    SpanId parent{};
    std::string tracestate = {};
    std::string name;
    SpanKind kind = SpanKind::internal;
    Instant start;
    Instant end;
    bool has_failed = false;
    std::vector<Attribute> attributes = {};
    std::vector<SpanContext> links = {};
};

// Returns about the memory that a span takes.
std::size_t bytes_of(const Span& span);

}  // namespace trackops::telemetry
