// The span and the log line of a request, from its bytes to both.
#include "platform/http/server_span.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hex.hpp"
#include "platform/http/access_log.hpp"
#include "platform/http/conversation_fixture.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"
#include "platform/telemetry/tracer.hpp"

namespace trackops::http {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view sampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr std::string_view unsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

std::string request(std::string_view target, std::string_view traceparent = {}) {
    std::string text = fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n", target);
    if (!traceparent.empty())
        text += fmt::format("traceparent: {}\r\ntracestate: a=1\r\n", traceparent);
    return text + "\r\n";
}

// A host that ends the spans and writes the log as the server does.
class Recording final : public Conversation::Host {
public:
    void handle(const Route& route, Request request, Conversation::Place place) override {
        traceparents.push_back(request.context.traceparent);
        const int status = route.pattern == "/busy" ? 503 : 200;
        conversation->answer(place.number, status == 200
                                               ? Response{.body = "{}"}
                                               : problem({Errc::overloaded, "no room"}, request));
    }
    std::shared_ptr<const Principal> identify(const Request&) override { return local_principal(); }
    Uuid fresh_id() override { return ids.next(); }
    std::string_view date() override { return "Tue, 14 Nov 2023 22:13:20 GMT"; }
    void reached(Limit) override {}
    void observe(const Conversation::Access& access) override {
        log.observe(access);
        end_server_span(tracer, access);
    }

    Conversation* conversation = nullptr;
    telemetry::Tracer* tracer = nullptr;
    AccessLog log;
    trackops::testing::SeededIds ids;
    std::vector<std::string> traceparents;
};

class ServerSpan : public ::testing::Test {
protected:
    ServerSpan() { telemetry::configure_log("", telemetry::Level::off, true); }
    // Sends the request, lets `took` pass and returns the spans that it left behind.
    std::vector<telemetry::Span> spans_of(const std::string& text, Duration took = milliseconds(3),
                                          telemetry::Sampling sampling = {.ratio = 0}) {
        telemetry::Registry metrics;
        telemetry::Tracer tracer({.sampling = sampling}, clock_, metrics);
        send(text, took, &tracer);
        return tracer.queue().take();
    }
    void send(const std::string& text, Duration took, telemetry::Tracer* tracer) {
        const Router router(holding_routes());
        const ServerOptions options{.tracer = tracer};
        Conversation conversation(host_, router, options, 7, {});
        host_.conversation = &conversation;
        host_.tracer = tracer;
        conversation.receive(text, {});
        std::string out;
        conversation.take_output(out, Conversation::Time(took));
        EXPECT_FALSE(out.empty());
    }
    static std::string text(const telemetry::Span& span, std::string_view name) {
        const auto found = std::ranges::find(span.attributes, name, &telemetry::Attribute::name);
        if (found == span.attributes.end()) return "-";
        if (const auto* number = std::get_if<std::int64_t>(&found->value))
            return std::to_string(*number);
        if (const auto* truth = std::get_if<bool>(&found->value)) return *truth ? "true" : "false";
        return std::get<std::string>(found->value);
    }
    std::string logged(const std::string& request, telemetry::Level level) {
        telemetry::configure_log("", level, true);
        ::testing::internal::CaptureStderr();
        send(request, milliseconds(3), nullptr);
        telemetry::configure_log("", telemetry::Level::off, true);
        return ::testing::internal::GetCapturedStderr();
    }

    trackops::testing::FakeClock clock_;
    Recording host_;
};

TEST_F(ServerSpan, ContinuesTheTraceOfTheClient) {
    const auto spans = spans_of(request("/hello", sampled));
    ASSERT_EQ(spans.size(), 1U);
    const telemetry::Span& span = spans[0];
    EXPECT_EQ(span.name, "GET /hello");
    EXPECT_EQ(span.kind, telemetry::SpanKind::server);
    EXPECT_EQ(hex(span.context.trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
    EXPECT_EQ(hex(span.parent), "00f067aa0ba902b7");
    EXPECT_EQ(span.tracestate, "a=1");
    EXPECT_EQ(span.end, clock_.now());
    EXPECT_EQ(span.end - span.start, milliseconds(3));
    EXPECT_FALSE(span.has_failed);
    EXPECT_EQ(text(span, "http.request.method"), "GET");
    EXPECT_EQ(text(span, "http.route"), "/hello");
    EXPECT_EQ(text(span, "url.path"), "/hello");
    EXPECT_EQ(text(span, "http.response.status_code"), "200");
    EXPECT_EQ(text(span, "trackops.partial"), "-");
    std::string own;
    telemetry::write_traceparent(span.context, own);
    EXPECT_EQ(host_.traceparents, std::vector{own}) << "the span that events hang below";
}

TEST_F(ServerSpan, OfANewTraceHasNoParent) {
    const auto spans = spans_of(request("/hello"), milliseconds(3), {.ratio = 1});
    ASSERT_EQ(spans.size(), 1U);
    EXPECT_EQ(spans[0].parent, telemetry::SpanId{});
    EXPECT_TRUE(spans[0].context.is_sampled());
    EXPECT_TRUE(spans_of(request("/hello")).empty());
    EXPECT_TRUE(host_.traceparents.back().ends_with("-00"));
}

TEST_F(ServerSpan, OfAnUnsampledTraceIsSentOnlyIfItWasSlowOrFailed) {
    EXPECT_TRUE(spans_of(request("/hello", unsampled), milliseconds(999), {.ratio = 1}).empty());
    const auto slow = spans_of(request("/hello", unsampled), milliseconds(1000));
    ASSERT_EQ(slow.size(), 1U);
    EXPECT_EQ(text(slow[0], "trackops.partial"), "true");
    EXPECT_FALSE(slow[0].has_failed);
    const auto failed = spans_of(request("/busy"));
    ASSERT_EQ(failed.size(), 1U);
    EXPECT_EQ(text(failed[0], "trackops.partial"), "true");
    EXPECT_EQ(text(failed[0], "error.type"), "503");
    EXPECT_EQ(text(failed[0], "trackops.problem.code"), "overloaded");
    EXPECT_TRUE(failed[0].has_failed);
    EXPECT_TRUE(spans_of(request("/nowhere")).empty()) << "404 is the client's fault";
}

TEST_F(ServerSpan, HasNoNameThatAClientInvents) {
    std::string odd = request("/nowhere", sampled);
    odd.replace(0, 3, "BREW");
    const auto spans = spans_of(odd);
    ASSERT_EQ(spans.size(), 1U);
    EXPECT_EQ(spans[0].name, "HTTP");
    EXPECT_EQ(text(spans[0], "http.request.method"), "_OTHER");
}

TEST_F(ServerSpan, IsNotMadeWithoutATracer) {
    send(request("/hello", sampled), milliseconds(3), nullptr);
    EXPECT_TRUE(host_.traceparents.back().ends_with("-01")) << "the flag of the client stays";
}

TEST_F(ServerSpan, TheTraceIdOfAProblemFindsItsLine) {
    const std::string lines = logged(request("/nowhere", sampled), telemetry::Level::info);
    EXPECT_THAT(
        lines,
        HasSubstr(
            R"("message":"refused a request","method":"GET","route":"UNKNOWN","status":"404","code":"not-found")"));
    EXPECT_THAT(lines, HasSubstr(R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":")"));
    EXPECT_THAT(lines, Not(HasSubstr("nowhere")));
}

TEST_F(ServerSpan, AFloodOfRefusalsIsOneLineASecond) {
    std::string lines;
    for (int i = 0; i < 50; ++i)
        lines += logged(request("/nowhere", sampled), telemetry::Level::info);
    EXPECT_LE(std::ranges::count(lines, '\n'), 5) << "50 requests take less than five seconds";
    const std::string all = logged(request("/nowhere"), telemetry::Level::debug);
    EXPECT_THAT(all, HasSubstr("refused a request")) << "at debug every one has its line";
    telemetry::configure_log("", telemetry::Level::info, true);
    ::testing::internal::CaptureStderr();
    host_.log.sweep(Conversation::Time::clock::now() + std::chrono::seconds(2));
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("refused more requests"));
}

TEST_F(ServerSpan, AnAnsweredRequestIsALineAtDebugOnly) {
    EXPECT_EQ(logged(request("/hello"), telemetry::Level::info), "");
    EXPECT_THAT(
        logged(request("/hello"), telemetry::Level::debug),
        HasSubstr(
            R"("message":"answered a request","method":"GET","route":"/hello","status":"200")"));
}

}  // namespace
}  // namespace trackops::http
