#include "platform/otlp/encode.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "base/hex.hpp"
#include "base/version.hpp"
#include "platform/json/writer.hpp"
#include "platform/telemetry/utf8.hpp"

namespace trackops::otlp {
namespace {

using telemetry::Span;

std::string shown(std::string_view text) {
    return telemetry::valid_utf8(text.substr(0, Span::text_bytes_max));
}

// Protobuf's JSON writes 64-bit integers as strings.
std::string nanoseconds(Instant at) { return std::to_string(at.micros) + "000"; }

void write_text(json::Writer& out, std::string_view key, std::string_view value) {
    out.begin_object().member("key", key).name("value").begin_object();
    out.member("stringValue", value).end_object().end_object();
}

void write_attribute(json::Writer& out, const telemetry::Attribute& attribute) {
    if (const auto* text = std::get_if<std::string>(&attribute.value))
        return write_text(out, attribute.name, shown(*text));
    out.begin_object().member("key", attribute.name).name("value").begin_object();
    if (const auto* number = std::get_if<std::int64_t>(&attribute.value)) {
        out.member("intValue", std::to_string(*number));
    } else {
        out.member("boolValue", std::get<bool>(attribute.value));
    }
    out.end_object().end_object();
}

void write_resource_and_scope(json::Writer& out, const Resource& resource,
                              std::string_view scopes) {
    out.name("resource").begin_object().name("attributes").begin_array();
    for (const auto& [key, value] : resource) write_text(out, key, telemetry::valid_utf8(value));
    out.end_array().end_object();
    out.name(scopes).begin_array().begin_object();
    out.name("scope").begin_object().member("name", "trackops").member("version", version);
    out.end_object();
}

void write_span(json::Writer& out, const Span& span) {
    out.begin_object()
        .member("traceId", hex(span.context.trace_id))
        .member("spanId", hex(span.context.span_id));
    if (!span.tracestate.empty()) out.member("traceState", span.tracestate);
    if (span.parent != telemetry::SpanId{}) out.member("parentSpanId", hex(span.parent));
    out.member("flags", unsigned{span.context.flags})
        .member("name", shown(span.name))
        .member("kind", static_cast<int>(span.kind))
        .member("startTimeUnixNano", nanoseconds(span.start))
        .member("endTimeUnixNano", nanoseconds(std::max(span.start, span.end)));
    out.name("attributes").begin_array();
    for (const auto& attribute : span.attributes) write_attribute(out, attribute);
    out.end_array();
    if (!span.links.empty()) {
        out.name("links").begin_array();
        for (const telemetry::SpanContext& link : span.links) {
            out.begin_object()
                .member("traceId", hex(link.trace_id))
                .member("spanId", hex(link.span_id))
                .member("flags", unsigned{link.flags})
                .end_object();
        }
        out.end_array();
    }
    if (span.has_failed) {
        constexpr int error = 2;  // STATUS_CODE_ERROR
        out.name("status").begin_object().member("code", error).end_object();
    }
    out.end_object();
}

struct Severity {
    int number;  // the first of each range of four
    std::string_view text;
};
constexpr auto severities =
    std::to_array<Severity>({{5, "DEBUG"}, {9, "INFO"}, {13, "WARN"}, {17, "ERROR"}});
static_assert(severities.size() == static_cast<std::size_t>(telemetry::Level::off));

bool is_id(std::string_view text, std::size_t digits) {
    return text.size() == digits &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void write_record(json::Writer& out, const telemetry::LogRecord& record) {
    const Severity& severity = severities.at(static_cast<std::size_t>(record.level));
    out.begin_object()
        .member("timeUnixNano", nanoseconds(record.at))
        .member("observedTimeUnixNano", nanoseconds(record.at))
        .member("severityNumber", severity.number)
        .member("severityText", severity.text);
    out.name("body").begin_object().member("stringValue", record.message).end_object();
    std::string_view trace_id;
    std::string_view span_id;
    out.name("attributes").begin_array();
    write_text(out, "logger", record.logger);
    for (const auto& [name, value] : record.fields) {
        if (name == "trace_id" && is_id(value, 32)) {
            trace_id = value;
        } else if (name == "span_id" && is_id(value, 16)) {
            span_id = value;
        } else {
            write_text(out, name, value);
        }
    }
    out.end_array();
    if (!trace_id.empty()) out.member("traceId", trace_id);
    if (!span_id.empty()) out.member("spanId", span_id);
    out.end_object();
}

}  // namespace

std::string encode(const Resource& resource, std::span<const Span> spans) {
    std::string text;
    json::Writer out(text);
    out.begin_object().name("resourceSpans").begin_array().begin_object();
    write_resource_and_scope(out, resource, "scopeSpans");
    out.name("spans").begin_array();
    for (const Span& span : spans) write_span(out, span);
    out.end_array().end_object().end_array().end_object().end_array().end_object();
    return text;
}

std::string encode(const Resource& resource, std::span<const telemetry::LogRecord> records) {
    std::string text;
    json::Writer out(text);
    out.begin_object().name("resourceLogs").begin_array().begin_object();
    write_resource_and_scope(out, resource, "scopeLogs");
    out.name("logRecords").begin_array();
    for (const telemetry::LogRecord& record : records) write_record(out, record);
    out.end_array().end_object().end_array().end_object().end_array().end_object();
    return text;
}

}  // namespace trackops::otlp
