#include "platform/telemetry/batch_span.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

#include "platform/telemetry/metrics.hpp"
#include "testing/fakes.hpp"

namespace trackops::telemetry {
namespace {

struct Command {
    struct {
        std::string traceparent;
    } trace;
};

class BatchSpanTest : public ::testing::Test {
protected:
    Command command(std::uint8_t flags) {
        const SpanContext span{ids_.next().bytes, {1, 2, 3, 4, 5, 6, 7, ++count_}, flags};
        Command made;
        write_traceparent(span, made.trace.traceparent);
        return made;
    }
    std::vector<Span> spans_of(const std::vector<Command>& batch, Duration takes = Duration(10)) {
        {
            const BatchSpan span(&tracer_, "place orders", std::span<const Command>(batch));
            clock_.advance(takes);
        }
        return tracer_.queue().take();
    }
    static SpanContext span_of(const Command& command) {
        return *parse_traceparent(command.trace.traceparent);
    }

    trackops::testing::FakeClock clock_;
    trackops::testing::SeededIds ids_;
    Registry metrics_;
    Tracer tracer_{{}, clock_, metrics_};
    std::uint8_t count_ = 0;
};

TEST_F(BatchSpanTest, StandsInEachSampledTraceAndLinksToAllOfThem) {
    const std::vector<Command> batch = {command(0), command(1), command(1), {}, command(1)};
    const Instant start = clock_.now();
    const auto spans = spans_of(batch);
    ASSERT_EQ(spans.size(), 3U);
    const std::size_t commands[] = {1, 2, 4};
    for (std::size_t i = 0; i < 3; ++i) {
        const SpanContext of = span_of(batch[commands[i]]);
        EXPECT_EQ(spans[i].name, "place orders");
        EXPECT_EQ(spans[i].context.trace_id, of.trace_id);
        EXPECT_EQ(spans[i].parent, of.span_id);
        EXPECT_EQ(spans[i].start, start);
        EXPECT_EQ(spans[i].end, start + Duration(10));
        EXPECT_EQ(std::get<std::int64_t>(spans[i].attributes.at(0).value), 5);
    }
    const std::vector<SpanContext> others = {span_of(batch[2]), span_of(batch[4])};
    EXPECT_EQ(spans[0].links, others);
    EXPECT_EQ(spans[1].links, std::vector{spans[0].context});
    EXPECT_EQ(spans[2].links, std::vector{spans[0].context});
}

TEST_F(BatchSpanTest, HasABoundedNumberOfLinks) {
    std::vector<Command> batch;
    for (std::size_t i = 0; i < Span::links_max + 10; ++i) batch.push_back(command(1));
    const auto spans = spans_of(batch);
    EXPECT_EQ(spans.size(), batch.size());
    EXPECT_EQ(spans[0].links.size(), Span::links_max);
}

TEST_F(BatchSpanTest, OfUnsampledCommandsIsSentOnlyIfItWasSlowOrThrew) {
    const std::vector<Command> batch = {command(0)};
    EXPECT_TRUE(spans_of(batch).empty());
    const auto slow = spans_of(batch, std::chrono::seconds(1));
    ASSERT_EQ(slow.size(), 1U);
    EXPECT_EQ(slow[0].parent, span_of(batch[0]).span_id);
    EXPECT_EQ(slow[0].attributes.back().name, "trackops.partial");
    try {
        const BatchSpan span(&tracer_, "a", std::span<const Command>(batch));
        throw std::runtime_error("lost");
    } catch (const std::runtime_error&) {
    }
    const auto failed = tracer_.queue().take();
    ASSERT_EQ(failed.size(), 1U);
    EXPECT_TRUE(failed[0].has_failed);
}

TEST_F(BatchSpanTest, DoesNothingWithoutATracer) {
    const std::vector<Command> batch = {command(1)};
    {
        const BatchSpan span(nullptr, "a", std::span<const Command>(batch));
    }
    EXPECT_EQ(tracer_.queue().size(), 0U);
}

}  // namespace
}  // namespace trackops::telemetry
