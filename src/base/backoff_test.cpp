#include "base/backoff.hpp"

#include <chrono>
#include <limits>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/chance.hpp"

namespace trackops {
namespace {

using std::chrono::milliseconds;

constexpr BackoffLimits limits{milliseconds(50), milliseconds(2000)};
constexpr double whole = 0;                 // the chance that shortens nothing
constexpr double shortest = 1 - 0x1.0p-53;  // the largest number below 1
constexpr auto forever = std::numeric_limits<std::int64_t>::max();

TEST(Backoff, DoublesFromTheFirstWaitToTheLongest) {
    Backoff backoff(limits);
    for (const int wait : {50, 100, 200, 400, 800, 1600, 2000, 2000, 2000})
        EXPECT_EQ(backoff.failed(whole), milliseconds(wait));
}

TEST(Backoff, BeginsAnewAfterASuccess) {
    Backoff backoff(limits);
    EXPECT_FALSE(backoff.has_failed());
    for (int i = 0; i < 5; ++i) backoff.failed(whole);
    EXPECT_TRUE(backoff.has_failed());
    backoff.succeeded();
    EXPECT_FALSE(backoff.has_failed());
    EXPECT_EQ(backoff.failed(whole), milliseconds(50));
    EXPECT_EQ(backoff.failed(whole), milliseconds(100));
}

TEST(Backoff, IsShortenedByAtMostHalf) {
    for (int failures = 1; failures <= 12; ++failures) {
        const Duration doubled = doubled_wait(limits, failures);
        EXPECT_EQ(jittered_wait(limits, failures, 0), doubled);
        EXPECT_EQ(jittered_wait(limits, failures, 0.5), doubled - doubled / 4);
        for (const double chance : {0.001, 0.1, 0.25, 0.75, 0.999, shortest}) {
            const Duration wait = jittered_wait(limits, failures, chance);
            EXPECT_LT(wait, doubled) << chance;
            EXPECT_GE(wait, doubled / 2) << chance;
            EXPECT_EQ(wait, jittered_wait(limits, failures, chance)) << "chance alone decides";
        }
        EXPECT_LE(jittered_wait(limits, failures, shortest), doubled / 2 + Duration(1));
    }
}

TEST(Backoff, SpreadsOverTheWholeHalf) {
    std::set<Duration> waits;
    for (int i = 0; i < 100; ++i) waits.insert(jittered_wait(limits, 1, i / 100.0));
    EXPECT_EQ(waits.size(), 100U);
    EXPECT_EQ(*waits.rbegin(), milliseconds(50));
    EXPECT_EQ(*waits.begin(), Duration(25'250));
}

TEST(Backoff, DoesNotOverflow) {
    for (const std::int64_t failures : {std::int64_t{62}, std::int64_t{63}, std::int64_t{64},
                                        std::int64_t{65}, std::int64_t{1'000'000}, forever})
        EXPECT_EQ(doubled_wait(limits, failures), limits.longest) << failures;
    const BackoffLimits endless{Duration(3), Duration(forever)};
    EXPECT_EQ(doubled_wait(endless, 62), Duration(3 * (std::int64_t{1} << 61)));
    EXPECT_EQ(doubled_wait(endless, 63), Duration(forever));
    EXPECT_GE(jittered_wait(endless, forever, shortest), Duration(forever / 2));
    EXPECT_EQ(jittered_wait(endless, forever, whole), Duration(forever));
}

TEST(Backoff, TakesOddLimitsAndCounts) {
    EXPECT_EQ(doubled_wait(limits, 0), limits.first);
    EXPECT_EQ(doubled_wait(limits, std::numeric_limits<std::int64_t>::min()), limits.first);
    const BackoffLimits reversed{milliseconds(20), milliseconds(5)};
    EXPECT_EQ(doubled_wait(reversed, 1), milliseconds(5));
    const BackoffLimits none{Duration::zero(), Duration::zero()};
    EXPECT_EQ(jittered_wait(none, 7, shortest), Duration::zero());
    const BackoffLimits smallest{Duration(1), Duration(1)};
    EXPECT_EQ(jittered_wait(smallest, 7, shortest), Duration(1));
}

// Two threads draw the same by chance once in 2^31 runs.
TEST(SystemChance, DiffersFromThreadToThread) {
    const double here = system_chance().draw();
    double there = here;
    std::thread([&] { there = system_chance().draw(); }).join();
    EXPECT_NE(here, there);
}

TEST(SystemChance, DrawsFromAllOfZeroToOne) {
    std::vector<int> tenths(10);
    for (int i = 0; i < 10'000; ++i) {
        const double drawn = system_chance().draw();
        ASSERT_GE(drawn, 0);
        ASSERT_LT(drawn, 1);
        ++tenths[static_cast<std::size_t>(drawn * 10)];
    }
    // Expected are 1000 each; 700 is ten standard deviations away.
    for (const int tenth : tenths) EXPECT_GT(tenth, 700);
}

}  // namespace
}  // namespace trackops
