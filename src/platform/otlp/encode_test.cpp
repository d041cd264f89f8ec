// The JSON of OTLP, against the rules of opentelemetry-proto and of protobuf's JSON mapping.
#include "platform/otlp/encode.hpp"

#include <gtest/gtest.h>

#include "base/version.hpp"

namespace trackops::otlp {
namespace {

using telemetry::Span;

const Resource resource = {{"service.name", "order-service"}, {"odd \"key\"", "a\xFF"}};

std::string head(std::string_view scopes) {
    return R"("resource":{"attributes":[{"key":"service.name","value":{"stringValue":"order-service"}},)"
           R"({"key":"odd \"key\"","value":{"stringValue":"a)"
           "\uFFFD"
           R"("}}]},")" +
           std::string(scopes) + R"(":[{"scope":{"name":"trackops","version":")" +
           std::string(version) + R"("},)";
}

TEST(OtlpJson, WritesIdsInHexAndLongNumbersAsStrings) {
    const auto context =
        *telemetry::parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    const Span root{.context = context,
                    .name = "POST /api/orders",
                    .kind = telemetry::SpanKind::server,
                    .start = {1'700'000'000'000'001},
                    .end = {1'700'000'000'000'002}};
    const Span child{.context = {context.trace_id, {0xab}, 1},
                     .parent = context.span_id,
                     .tracestate = "a=1,b=2",
                     .name = "place orders",
                     .start = {2},
                     .end = {1},  // clocks of two hosts
                     .has_failed = true,
                     .attributes = {{"n", std::int64_t{-9'007'199'254'740'993}},
                                    {"b", true},
                                    {"s", std::string("x\ny")}},
                     .links = {context}};
    const Span spans[] = {root, child};
    EXPECT_EQ(
        encode(resource, spans),
        R"({"resourceSpans":[{)" + head("scopeSpans") +
            R"("spans":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","flags":1,)"
            R"("name":"POST /api/orders","kind":2,"startTimeUnixNano":"1700000000000001000",)"
            R"("endTimeUnixNano":"1700000000000002000","attributes":[]},)"
            R"({"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"ab00000000000000","traceState":"a=1,b=2",)"
            R"("parentSpanId":"00f067aa0ba902b7","flags":1,"name":"place orders","kind":1,)"
            R"("startTimeUnixNano":"2000","endTimeUnixNano":"2000","attributes":[)"
            R"({"key":"n","value":{"intValue":"-9007199254740993"}},{"key":"b","value":{"boolValue":true}},)"
            R"({"key":"s","value":{"stringValue":"x\ny"}}],)"
            R"("links":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","flags":1}],)"
            R"("status":{"code":2}}]}]}]})");
}

TEST(OtlpJson, CutsLongTexts) {
    const Span span{.name = std::string(300, 'n'), .attributes = {{"s", std::string(300, 's')}}};
    const std::string text = encode({}, {&span, 1});
    EXPECT_NE(text.find('"' + std::string(256, 'n') + '"'), text.npos);
    EXPECT_NE(text.find('"' + std::string(256, 's') + '"'), text.npos);
}

TEST(OtlpJson, WritesLogLinesWithTheirTrace) {
    const telemetry::LogRecord with_trace{
        .at = {1'700'000'000'000'000},
        .level = telemetry::Level::warn,
        .logger = "relay",
        .message = "parked an event",
        .fields = {{"event", "018b"},
                   {"trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"},
                   {"span_id", "00f067aa0ba902b7"}}};
    telemetry::LogRecord without = with_trace;
    without.level = telemetry::Level::debug;
    without.fields = {{"trace_id", "of no hex"}};
    const telemetry::LogRecord records[] = {with_trace, without};
    EXPECT_EQ(
        encode(resource, records),
        R"({"resourceLogs":[{)" + head("scopeLogs") +
            R"("logRecords":[{"timeUnixNano":"1700000000000000000","observedTimeUnixNano":"1700000000000000000",)"
            R"("severityNumber":13,"severityText":"WARN","body":{"stringValue":"parked an event"},"attributes":[)"
            R"({"key":"logger","value":{"stringValue":"relay"}},{"key":"event","value":{"stringValue":"018b"}}],)"
            R"("traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7"},)"
            R"({"timeUnixNano":"1700000000000000000","observedTimeUnixNano":"1700000000000000000",)"
            R"("severityNumber":5,"severityText":"DEBUG","body":{"stringValue":"parked an event"},"attributes":[)"
            R"({"key":"logger","value":{"stringValue":"relay"}},{"key":"trace_id","value":{"stringValue":"of no hex"}}]}]}]}]})");
}

}  // namespace
}  // namespace trackops::otlp
