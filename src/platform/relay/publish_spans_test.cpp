#include "platform/relay/publish_spans.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/hex.hpp"
#include "platform/relay/message.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/fakes.hpp"

namespace trackops::relay {
namespace {

using std::chrono::milliseconds;
using telemetry::Span;

constexpr const char* sampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr const char* unsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

std::string traceparent_of(const bus::OutgoingMessage& message) {
    const auto found = std::ranges::find(message.headers, "traceparent", &bus::Header::name);
    return found == message.headers.end() ? "" : found->value;
}

class PublishSpansTest : public ::testing::Test {
protected:
    outbox::Event event(std::string traceparent) {
        return {.id = ids_.next(),
                .type = "ORDER_CREATED",
                .key = ids_.next(),
                .sequence = 1,
                .payload = "{}",
                .occurred_at = clock_.now() - milliseconds(40),
                .traceparent = std::move(traceparent),
                .tracestate = "a=1"};
    }
    std::vector<Span> spans_of(const std::vector<outbox::Event>& events,
                               const std::vector<bus::Delivery>& deliveries) {
        messages_.clear();
        PublishSpans spans(&tracer_);
        for (const outbox::Event& one : events) {
            messages_.push_back(to_message(one, "/trackops/orders"));
            spans.add(one, messages_.back());
        }
        clock_.advance(milliseconds(5));
        spans.end(deliveries);
        return tracer_.queue().take();
    }

    trackops::testing::FakeClock clock_;
    trackops::testing::SeededIds ids_;
    telemetry::Registry metrics_;
    telemetry::Tracer tracer_{{}, clock_, metrics_};
    std::vector<bus::OutgoingMessage> messages_;
};

TEST_F(PublishSpansTest, AreTheWaitInTheOutboxAndTheSending) {
    const std::vector events = {event(unsampled), event(sampled), event("")};
    const Instant read_at = clock_.now();
    const auto spans = spans_of(events, std::vector(3, bus::Delivery::acknowledged));
    ASSERT_EQ(spans.size(), 2U);
    const auto& [wait, sending] = std::tie(spans[0], spans[1]);
    EXPECT_EQ(wait.name, "outbox ORDER_CREATED");
    EXPECT_EQ(hex(wait.parent), "00f067aa0ba902b7");
    EXPECT_EQ(wait.start, events[1].occurred_at);
    EXPECT_EQ(wait.end, read_at);
    EXPECT_EQ(sending.name, "send ORDER_CREATED");
    EXPECT_EQ(sending.kind, telemetry::SpanKind::producer);
    EXPECT_EQ(sending.parent, wait.context.span_id);
    EXPECT_EQ(sending.start, read_at);
    EXPECT_EQ(sending.end, read_at + milliseconds(5));
    EXPECT_EQ(sending.tracestate, "a=1");
    std::string own;
    telemetry::write_traceparent(sending.context, own);
    EXPECT_EQ(traceparent_of(messages_[1]), own);
    EXPECT_EQ(traceparent_of(messages_[0]), unsampled) << "what is not recorded goes on as it came";
    EXPECT_EQ(traceparent_of(messages_[2]), "");
}

TEST_F(PublishSpansTest, OfATryThatTheBusDidNotTakeBelongToTheWait) {
    const std::vector events = {event(sampled), event(sampled)};
    EXPECT_TRUE(spans_of(events, std::vector(2, bus::Delivery::unavailable)).empty());
    const auto refused = spans_of(events, {bus::Delivery::unavailable, bus::Delivery::refused});
    ASSERT_EQ(refused.size(), 2U);
    EXPECT_TRUE(refused[1].has_failed);
    EXPECT_EQ(refused[0].end - refused[0].start, milliseconds(45));
}

TEST_F(PublishSpansTest, HaveNoWaitBelowZeroWhenClocksDiffer) {
    outbox::Event ahead = event(sampled);
    ahead.occurred_at = clock_.now() + milliseconds(7);
    const auto spans = spans_of({ahead}, {bus::Delivery::acknowledged});
    EXPECT_EQ(spans.at(0).start, spans.at(0).end);
}

TEST_F(PublishSpansTest, DoNothingWithoutATracer) {
    const outbox::Event one = event(sampled);
    bus::OutgoingMessage message = to_message(one, "/trackops/orders");
    PublishSpans spans(nullptr);
    spans.add(one, message);
    spans.end(std::vector{bus::Delivery::acknowledged});
    EXPECT_EQ(traceparent_of(message), sampled);
}

}  // namespace
}  // namespace trackops::relay
