#include "platform/bus/consume_spans.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/hex.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/fakes.hpp"

namespace trackops::bus {
namespace {

using std::chrono::milliseconds;
using telemetry::Span;

constexpr const char* sampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr const char* unsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

Message message(std::string traceparent) {
    Message made{.topic = "ORDER_CREATED",
                 .partition = 2,
                 .offset = 17,
                 .key = "order",
                 .headers = {{"ce_id", "018b"}}};
    if (!traceparent.empty()) {
        made.headers.push_back({"traceparent", std::move(traceparent)});
        made.headers.push_back({"tracestate", "a=1"});
    }
    return made;
}

std::string text(const Span& span, std::string_view name) {
    const auto found = std::ranges::find(span.attributes, name, &telemetry::Attribute::name);
    if (found == span.attributes.end()) return "-";
    const auto* value = std::get_if<std::string>(&found->value);
    return value ? *value : "no text";
}

class ConsumeSpansTest : public ::testing::Test {
protected:
    std::vector<Span> spans_of(std::vector<Message>& batch, std::vector<Disposition> dispositions,
                               Duration took = milliseconds(5)) {
        ConsumeSpans spans(&tracer_, "trackops-orders", batch);
        seen_.clear();
        for (const Message& one : batch) seen_.emplace_back(one.header("traceparent"));
        clock_.advance(took);
        spans.end(dispositions);
        return tracer_.queue().take();
    }

    trackops::testing::FakeClock clock_;
    telemetry::Registry metrics_;
    telemetry::Tracer tracer_{{}, clock_, metrics_};
    std::vector<std::string> seen_;  // the traceparents while the handler runs
};

TEST_F(ConsumeSpansTest, HangBelowTheSenderAndAboveWhatTheHandlerDoes) {
    std::vector<Message> batch = {message(unsampled), message(sampled), message("")};
    const auto spans = spans_of(batch, std::vector<Disposition>(3, Done{}));
    ASSERT_EQ(spans.size(), 1U);
    const Span& span = spans[0];
    EXPECT_EQ(span.name, "process ORDER_CREATED");
    EXPECT_EQ(span.kind, telemetry::SpanKind::consumer);
    EXPECT_EQ(hex(span.parent), "00f067aa0ba902b7");
    EXPECT_EQ(span.end - span.start, milliseconds(5));
    EXPECT_EQ(span.tracestate, "a=1");
    EXPECT_FALSE(span.has_failed);
    EXPECT_EQ(text(span, "messaging.system"), "kafka");
    EXPECT_EQ(text(span, "messaging.consumer.group.name"), "trackops-orders");
    EXPECT_EQ(text(span, "messaging.destination.name"), "ORDER_CREATED");
    EXPECT_EQ(text(span, "messaging.destination.partition.id"), "2");
    EXPECT_EQ(text(span, "messaging.message.id"), "018b");
    EXPECT_EQ(text(span, "messaging.kafka.message.key"), "order");
    std::string own;
    telemetry::write_traceparent(span.context, own);
    EXPECT_EQ(seen_, (std::vector<std::string>{unsampled, own, ""}));
    EXPECT_EQ(batch[1].header("traceparent"), sampled) << "a message that comes again is as it was";
}

TEST_F(ConsumeSpansTest, TellHowTheMessageEnded) {
    std::vector<Message> batch = {message(sampled), message(sampled)};
    const auto spans = spans_of(batch, {DeadLetter{"no JSON"}, RetryLater{"database away"}});
    ASSERT_EQ(spans.size(), 2U);
    EXPECT_TRUE(spans[0].has_failed && spans[1].has_failed);
    EXPECT_EQ(text(spans[0], "error.type"), "dead_letter");
    EXPECT_EQ(text(spans[1], "error.type"), "retry_later");
}

TEST_F(ConsumeSpansTest, OfUnsampledTracesAreDeadLettersAndSlowOnes) {
    std::vector<Message> batch = {message(unsampled), message(unsampled), message("")};
    const std::vector<Disposition> dispositions = {RetryLater{"away"}, DeadLetter{"no JSON"},
                                                   DeadLetter{"no JSON"}};
    const auto dead = spans_of(batch, dispositions);
    ASSERT_EQ(dead.size(), 1U) << "a message without a traceparent belongs to no trace";
    EXPECT_EQ(dead[0].attributes.back().name, "trackops.partial");
    EXPECT_EQ(spans_of(batch, std::vector<Disposition>(3, Done{}), std::chrono::seconds(1)).size(),
              2U);
    EXPECT_EQ(batch[1].header("traceparent"), unsampled);
}

TEST_F(ConsumeSpansTest, DoNothingWithoutATracer) {
    std::vector<Message> batch = {message(sampled)};
    ConsumeSpans spans(nullptr, "g", batch);
    EXPECT_EQ(batch[0].header("traceparent"), sampled);
    spans.end(std::vector<Disposition>{Done{}});
}

}  // namespace
}  // namespace trackops::bus
