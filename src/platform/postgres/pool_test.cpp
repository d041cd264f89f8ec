#include "platform/postgres/pool.hpp"

#include <gtest/gtest.h>

namespace trackops::sql::postgres {
namespace {

using std::chrono::milliseconds;

constexpr Backoff::Time start{std::chrono::hours(1)};

TEST(PostgresBackoff, DoublesFromFiftyMillisecondsToTwoSeconds) {
    Backoff backoff;
    EXPECT_TRUE(backoff.may_try(start));
    auto now = start;
    for (const int expected : {50, 100, 200, 400, 800, 1600, 2000, 2000, 2000}) {
        backoff.trying();
        backoff.failed(now, now);
        EXPECT_EQ(backoff.left(now), milliseconds(expected));
        EXPECT_FALSE(backoff.may_try(now + milliseconds(expected - 1)));
        now += milliseconds(expected);
        EXPECT_TRUE(backoff.may_try(now));
    }
    backoff.succeeded();
    EXPECT_TRUE(backoff.may_try(now));
    backoff.failed(now, now);
    EXPECT_EQ(backoff.left(now), milliseconds(50));
}

TEST(PostgresBackoff, LetsOneCallerTryAtATimeOnceTheServerWasAway) {
    Backoff backoff;
    backoff.trying();
    EXPECT_TRUE(backoff.may_try(start));  // before any failure all may connect
    backoff.failed(start, start);
    const auto later = start + milliseconds(50);
    ASSERT_TRUE(backoff.may_try(later));
    backoff.trying();
    EXPECT_FALSE(backoff.may_try(later));
    backoff.succeeded();
    EXPECT_TRUE(backoff.may_try(later));
}

TEST(PostgresBackoff, CountsAttemptsThatFailedTogetherOnce) {
    Backoff backoff;
    for (int i = 0; i < 8; ++i) backoff.trying();
    for (int i = 1; i <= 8; ++i) backoff.failed(start, start + milliseconds(i));
    EXPECT_EQ(backoff.left(start + milliseconds(1)), milliseconds(50));
}

}  // namespace
}  // namespace trackops::sql::postgres
