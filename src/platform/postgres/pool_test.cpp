#include "platform/postgres/pool.hpp"

#include <gtest/gtest.h>

namespace trackops::sql::postgres {
namespace {

using std::chrono::milliseconds;

constexpr ConnectGate::Time start{std::chrono::hours(1)};
constexpr double whole = 0;  // the chance that does not shorten a wait

TEST(ConnectGate, DoublesFromFiftyMillisecondsToTwoSeconds) {
    ConnectGate gate;
    EXPECT_TRUE(gate.may_try(start));
    auto now = start;
    for (const int expected : {50, 100, 200, 400, 800, 1600, 2000, 2000, 2000}) {
        gate.trying();
        gate.failed(now, now, whole);
        EXPECT_EQ(gate.left(now), milliseconds(expected));
        EXPECT_FALSE(gate.may_try(now + milliseconds(expected - 1)));
        now += milliseconds(expected);
        EXPECT_TRUE(gate.may_try(now));
    }
    gate.succeeded();
    EXPECT_TRUE(gate.may_try(now));
    gate.failed(now, now, whole);
    EXPECT_EQ(gate.left(now), milliseconds(50));
}

TEST(ConnectGate, ShortensItsWaitByChance) {
    ConnectGate gate;
    gate.failed(start, start, 0.5);
    EXPECT_EQ(gate.left(start), std::chrono::microseconds(37'500));
}

TEST(ConnectGate, LetsOneCallerTryAtATimeOnceTheServerWasAway) {
    ConnectGate gate;
    gate.trying();
    EXPECT_TRUE(gate.may_try(start));  // before any failure all may connect
    gate.failed(start, start, whole);
    const auto later = start + milliseconds(50);
    ASSERT_TRUE(gate.may_try(later));
    gate.trying();
    EXPECT_FALSE(gate.may_try(later));
    gate.succeeded();
    EXPECT_TRUE(gate.may_try(later));
}

TEST(ConnectGate, CountsAttemptsThatFailedTogetherOnce) {
    ConnectGate gate;
    for (int i = 0; i < 8; ++i) gate.trying();
    for (int i = 1; i <= 8; ++i) gate.failed(start, start + milliseconds(i), whole);
    EXPECT_EQ(gate.left(start + milliseconds(1)), milliseconds(50));
}

}  // namespace
}  // namespace trackops::sql::postgres
