#include "platform/telemetry/log_gate.hpp"

#include <gtest/gtest.h>

namespace trackops::telemetry {
namespace {

using std::chrono::milliseconds;

TEST(LogGate, LetsOneLineASecondAndReasonThroughAndCountsTheOthers) {
    LogGate gate;
    const LogGate::Time noon{};
    EXPECT_EQ(gate.admit("a", noon), 0U);
    EXPECT_EQ(gate.admit("b", noon), 0U);
    EXPECT_EQ(gate.admit("a", noon + milliseconds(1)), std::nullopt);
    EXPECT_EQ(gate.admit("a", noon + milliseconds(999)), std::nullopt);
    EXPECT_EQ(gate.admit("a", noon + milliseconds(1000)), 2U);
    EXPECT_EQ(gate.admit("a", noon + milliseconds(1999)), std::nullopt);
    EXPECT_EQ(gate.admit("b", noon + milliseconds(2000)), 0U);
}

TEST(LogGate, TellsTheEndOfAFlood) {
    LogGate gate;
    const LogGate::Time noon{};
    for (int i = 0; i < 5; ++i) (void)gate.admit("a", noon);
    (void)gate.admit("b", noon);
    EXPECT_TRUE(gate.take_held_back(noon + milliseconds(999)).empty());
    const auto told = gate.take_held_back(noon + milliseconds(1000));
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].reason, "a");
    EXPECT_EQ(told[0].lines, 4U);
    EXPECT_TRUE(gate.take_held_back(noon + milliseconds(5000)).empty());
    // The summary is this second's line.
    EXPECT_EQ(gate.admit("a", noon + milliseconds(1500)), std::nullopt);
}

TEST(LogGate, HasABoundedNumberOfReasons) {
    LogGate gate;
    const LogGate::Time noon{};
    for (std::size_t i = 0; i < LogGate::reasons_max; ++i)
        EXPECT_EQ(gate.admit(std::to_string(i), noon), 0U);
    EXPECT_EQ(gate.admit("one more", noon), 0U);
    EXPECT_EQ(gate.admit("and another", noon), std::nullopt);
    EXPECT_EQ(gate.admit("0", noon + milliseconds(1000)), 0U);
}

}  // namespace
}  // namespace trackops::telemetry
