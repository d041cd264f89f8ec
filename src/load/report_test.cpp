#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load/latency_histogram.hpp"
#include "load/progress.hpp"
#include "platform/json/reader.hpp"

namespace trackops::load {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(LatencyHistogram, AreExactByNearestRankWhereTheyAreShort) {
    LatencyHistogram latencies;
    for (int micros = 100; micros >= 1; --micros) latencies.add(Duration(micros));
    const auto found = latencies.percentiles();
    EXPECT_EQ(found.count, 100);
    EXPECT_EQ(found.p50, Duration(50));
    EXPECT_EQ(found.p99, Duration(99));
    EXPECT_EQ(found.max, Duration(100));
}

TEST(LatencyHistogram, AreRightToOnePercentAtAnyLength) {
    for (std::int64_t micros = 1; micros < 1'000'000'000'000; micros = micros * 7 / 5 + 1) {
        LatencyHistogram latencies;
        latencies.add(Duration(micros));
        latencies.add(Duration(micros * 2));
        const auto p50 = latencies.percentiles().p50.count();
        EXPECT_GE(p50, micros);
        EXPECT_LE(p50, micros + micros / 100);
        EXPECT_EQ(latencies.percentiles().p99, Duration(micros * 2));
    }
}

TEST(LatencyHistogram, OfNothingAreZeroAndNoneIsNegative) {
    LatencyHistogram latencies;
    EXPECT_EQ(latencies.percentiles().count, 0);
    latencies.add(Duration(-5));
    EXPECT_EQ(latencies.percentiles().max, Duration::zero());
}

LoadReport example() {
    LoadReport report;
    report.orders = {
        .asked = 20'000, .done = 19'990, .failed = 0, .refused = {{"invalid-request", 10}}};
    report.confirmed = 18'000;
    report.cancelled = {{"CUSTOMER_REQUEST", 90}, {"OUT_OF_STOCK", 1'900}};
    report.to_confirmed = {.count = 18'000,
                           .p50 = std::chrono::milliseconds(12),
                           .p99 = std::chrono::seconds(2),
                           .max = std::chrono::seconds(3)};
    report.accepting = std::chrono::seconds(10);
    return report;
}

TEST(Report, NamesEachFigure) {
    const auto text = print(example());
    EXPECT_THAT(text,
                HasSubstr("20,000 asked, 19,990 done, 10 refused (invalid-request 10), 0 failed"));
    EXPECT_THAT(
        text,
        HasSubstr("18,000 confirmed, 1,990 cancelled (OUT_OF_STOCK 1,900, CUSTOMER_REQUEST 90)"));
    EXPECT_THAT(text, HasSubstr("p50 12.0 ms, p99 2.00 s, max 3.00 s: createdAt to updatedAt"));
    EXPECT_THAT(text, HasSubstr("1999/s for 10.00 s"));
    EXPECT_THAT(text, Not(HasSubstr("cancels")));
}

TEST(Report, IsJsonWithTheSameFigures) {
    const auto text = to_json(example());
    const auto document = json::Document::parse(text);
    ASSERT_TRUE(document);
    const auto orders = document->root().find("orders");
    EXPECT_EQ(orders->find("done")->integer(), 19'990);
    EXPECT_EQ(document->root().find("toConfirmed")->find("p99Micros")->integer(), 2'000'000);
    EXPECT_EQ(document->root().find("good")->boolean(), true);
}

TEST(Report, IsGoodWhenNothingIsPendingLostOrFailed) {
    EXPECT_TRUE(example().has_succeeded());
    for (const auto figure : {&LoadReport::pending, &LoadReport::lost, &LoadReport::unplayed}) {
        auto report = example();
        report.*figure = 1;
        EXPECT_FALSE(report.has_succeeded());
    }
    for (const auto calls : {&LoadReport::orders, &LoadReport::cancels, &LoadReport::adjustments,
                             &LoadReport::items}) {
        auto report = example();
        (report.*calls).failed = 1;
        EXPECT_FALSE(report.has_succeeded());
    }
}

TEST(ProgressLine, HasABarWhenTheSizeIsKnown) {
    EXPECT_EQ(progress_line(example(), 0.5),
              "[============            ]  50%  19990 accepted (1999/s), 18000 confirmed, 1990 "
              "cancelled, 0 pending");
    EXPECT_EQ(progress_line({}, -1), "0 accepted (0/s), 0 confirmed, 0 cancelled, 0 pending");
}

}  // namespace
}  // namespace trackops::load
