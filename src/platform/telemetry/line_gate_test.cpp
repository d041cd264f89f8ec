#include "platform/telemetry/line_gate.hpp"

#include <gtest/gtest.h>

namespace trackops::telemetry {
namespace {

using std::chrono::milliseconds;

TEST(LineGate, AdmitsOneLineASecondAndCountsTheOthers) {
    LineGate::Time now{};
    LineGate gate([&] { return now; });
    EXPECT_EQ(gate.admit(), 0U);
    now += milliseconds(1);
    EXPECT_EQ(gate.admit(), std::nullopt);
    now += milliseconds(998);
    EXPECT_EQ(gate.admit(), std::nullopt);
    now += milliseconds(1);
    EXPECT_EQ(gate.admit(), 2U);
    now += milliseconds(1000);
    EXPECT_EQ(gate.admit(), 0U);
}

}  // namespace
}  // namespace trackops::telemetry
