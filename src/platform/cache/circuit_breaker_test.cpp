#include "platform/cache/circuit_breaker.hpp"

#include <gtest/gtest.h>

#include "testing/fakes.hpp"

namespace trackops::cache {
namespace {

using std::chrono::milliseconds;

constexpr Instant start{1'700'000'000'000'000};

TEST(CircuitBreaker, WaitsTwiceAsLongAfterEachFailureUntilFiveSeconds) {
    trackops::testing::FixedChance chance;
    CircuitBreaker breaker(chance);
    EXPECT_EQ(breaker.left(start), Duration::zero());
    Instant now = start;
    for (const int wait : {100, 200, 400, 800, 1600, 3200, 5000, 5000}) {
        breaker.failed(now);
        EXPECT_EQ(breaker.left(now), milliseconds(wait));
        EXPECT_EQ(breaker.left(now + milliseconds(wait) - Duration(1)), Duration(1));
        now = now + milliseconds(wait);
        EXPECT_EQ(breaker.left(now), Duration::zero());
    }
}

TEST(CircuitBreaker, ShortensItsWaitByChance) {
    trackops::testing::FixedChance chance(0.5);
    CircuitBreaker breaker(chance);
    breaker.failed(start);
    EXPECT_EQ(breaker.left(start), milliseconds(75));
}

TEST(CircuitBreaker, StartsAnewAfterASuccess) {
    trackops::testing::FixedChance chance;
    CircuitBreaker breaker(chance);
    for (int i = 0; i < 5; ++i) breaker.failed(start);
    breaker.succeeded();
    EXPECT_EQ(breaker.left(start), Duration::zero());
    breaker.failed(start);
    EXPECT_EQ(breaker.left(start), milliseconds(100));
}

TEST(CircuitBreaker, AClockThatStepsBackDoesNotKeepItOpen) {
    trackops::testing::FixedChance chance;
    CircuitBreaker breaker(chance);
    breaker.failed(start);
    EXPECT_EQ(breaker.left(start - Duration(1)), Duration::zero());
}

}  // namespace
}  // namespace trackops::cache
