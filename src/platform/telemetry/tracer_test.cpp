#include "platform/telemetry/tracer.hpp"

#include <cstring>
#include <set>

#include <gtest/gtest.h>

#include "platform/telemetry/metrics.hpp"
#include "testing/fakes.hpp"

namespace trackops::telemetry {
namespace {

using std::chrono::milliseconds;

class TracerTest : public ::testing::Test {
protected:
    Tracer tracer(Sampling sampling, ExportQueueLimits queue = {}) {
        return {{.sampling = sampling, .queue = queue}, clock_, metrics_};
    }
    SpanContext span(std::uint8_t flags) { return {ids_.next().bytes, {1, 2, 3}, flags}; }
    Span ended(std::uint8_t flags, Duration took = milliseconds(1)) {
        return {.context = span(flags), .name = "a", .start = {0}, .end = {took.count()}};
    }

    trackops::testing::FakeClock clock_;
    trackops::testing::SeededIds ids_;
    Registry metrics_;
};

TEST(Sampler, HasTheNamesOfTheSpecification) {
    const auto shown = [](std::string_view name, std::string_view argument) -> std::string {
        const auto sampling = parse_sampling(name, argument);
        if (!sampling) return "-";
        return std::to_string(sampling->ratio).substr(0, 4) +
               (sampling->follows_parent ? " parent" : "");
    };
    EXPECT_EQ(shown("always_on", "0.5"), "1.00");
    EXPECT_EQ(shown("always_off", ""), "0.00");
    EXPECT_EQ(shown("traceidratio", "0.25"), "0.25");
    EXPECT_EQ(shown("parentbased_always_on", "x"), "1.00 parent");
    EXPECT_EQ(shown("parentbased_always_off", ""), "0.00 parent");
    EXPECT_EQ(shown("parentbased_traceidratio", "1"), "1.00 parent");
    EXPECT_EQ(shown("parentbased_traceidratio", "0"), "0.00 parent");
    EXPECT_EQ(shown("jaeger_remote", "1"), "-");
    for (const auto* bad : {"", "-0.1", "1.1", "nan", "0.5x", " 0.5"})
        EXPECT_EQ(shown("traceidratio", bad), "-") << bad;
}

// The ids of one millisecond ascend by less than 2^32: the choice must not follow their high bits.
TEST_F(TracerTest, ChoosesTheShareOfTheTracesWhateverTheirIdsLookLike) {
    constexpr int count = 100'000;
    const Tracer one = tracer({.ratio = 0.01});
    const Tracer ten = tracer({.ratio = 0.1});
    int chosen = 0;
    for (int i = 0; i < count; ++i) {
        const TraceId trace = ids_.next().bytes;
        const bool is_chosen = one.samples(trace, {});
        chosen += is_chosen ? 1 : 0;
        EXPECT_EQ(is_chosen, one.samples(trace, {}));
        // A higher share includes a lower one.
        EXPECT_TRUE(!is_chosen || ten.samples(trace, {}));
    }
    EXPECT_NEAR(chosen, count / 100, 160);  // five standard deviations
}

TEST_F(TracerTest, FollowsTheParentIfItIsToldTo) {
    const Tracer never = tracer({.ratio = 0});
    const Tracer always = tracer({.ratio = 1});
    const Tracer stubborn = tracer({.ratio = 0, .follows_parent = false});
    const TraceId trace = ids_.next().bytes;
    EXPECT_FALSE(never.samples(trace, {}));
    EXPECT_TRUE(always.samples(trace, {}));
    EXPECT_TRUE(never.samples(trace, span(1)));
    EXPECT_FALSE(always.samples(trace, span(0)));
    EXPECT_FALSE(stubborn.samples(trace, span(1)));
}

TEST_F(TracerTest, GivesEachChildAnIdOfItsOwn) {
    Tracer its = tracer({});
    const SpanContext parent = span(3);
    std::set<SpanId> ids;
    for (int i = 0; i < 10'000; ++i) {
        const SpanContext child = its.child_of(parent);
        EXPECT_EQ(child.trace_id, parent.trace_id);
        EXPECT_EQ(child.flags, 3);
        EXPECT_NE(child.span_id, SpanId{});
        EXPECT_TRUE(ids.insert(child.span_id).second);
    }
}

TEST_F(TracerTest, SendsOfUnsampledTracesWhatWasSlowOrFailedAsPartial) {
    Tracer its = tracer({});
    its.end(ended(1));
    its.end(ended(0));
    its.end(ended(0, milliseconds(999)));
    its.end(ended(0, milliseconds(1000)));
    Span failed = ended(0);
    failed.has_failed = true;
    its.end(failed);
    const auto sent = its.queue().take();
    ASSERT_EQ(sent.size(), 3U);
    EXPECT_TRUE(sent[0].attributes.empty());
    for (const Span& partial : {sent[1], sent[2]}) {
        ASSERT_EQ(partial.attributes.size(), 1U);
        EXPECT_EQ(partial.attributes[0].name, "trackops.partial");
        EXPECT_EQ(std::get<bool>(partial.attributes[0].value), true);
    }
}

TEST_F(TracerTest, DropsAndCountsWhatItsQueueCannotHold) {
    Tracer its = tracer({}, {.items_max = 3});
    for (int i = 0; i < 5; ++i) its.end(ended(1));
    EXPECT_EQ(its.queue().size(), 3U);
    const auto text = metrics_.prometheus_text();
    EXPECT_NE(text.find("trackops_traces_dropped_total{reason=\"queue_full\"} 2"), text.npos);
    EXPECT_NE(text.find("trackops_traces_queued_spans 3"), text.npos);
}

TEST_F(TracerTest, CountsTheBytesOfItsQueue) {
    Span large = ended(1);
    large.attributes.push_back({"url.path", std::string(1000, 'x')});
    const std::size_t bytes = bytes_of(large);
    EXPECT_GT(bytes, 1000U + sizeof(Span));
    Tracer its = tracer({}, {.bytes_max = 2 * bytes});
    for (int i = 0; i < 3; ++i) its.end(large);
    EXPECT_EQ(its.queue().take().size(), 2U);
    its.end(large);  // what was taken makes room
    EXPECT_EQ(its.queue().size(), 1U);
}

TEST(ExportQueue, EndsAWaitWhenABatchIsThereAndGivesBatches) {
    ExportQueue<Span> queue({.batch_max = 2});
    for (int i = 0; i < 3; ++i) queue.put({.name = std::to_string(i)});
    queue.wait(std::chrono::hours(1));  // returns
    EXPECT_TRUE(queue.has_batch());
    const auto batch = queue.take();
    ASSERT_EQ(batch.size(), 2U);
    EXPECT_EQ(batch[0].name + batch[1].name, "01");
    EXPECT_FALSE(queue.has_batch());
    queue.wake();
    queue.wait(std::chrono::hours(1));
    EXPECT_EQ(queue.take().size(), 1U);
    queue.wait(Duration::zero());
}

}  // namespace
}  // namespace trackops::telemetry
