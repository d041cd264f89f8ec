#include "base/version_condition.hpp"

#include <gtest/gtest.h>

namespace trackops {
namespace {

TEST(VersionCondition, HoldsForTheVersionsThatItNames) {
    EXPECT_TRUE(VersionCondition{}.holds_for(3));
    const VersionCondition only{.only = std::vector<std::int64_t>{2, 3}};
    EXPECT_TRUE(only.holds_for(3));
    EXPECT_FALSE(only.holds_for(4));
    const VersionCondition except{.except = {2, 3}};
    EXPECT_FALSE(except.holds_for(3));
    EXPECT_TRUE(except.holds_for(4));
    const VersionCondition both{.only = std::vector<std::int64_t>{2, 3}, .except = {3}};
    EXPECT_TRUE(both.holds_for(2));
    EXPECT_FALSE(both.holds_for(3));
    EXPECT_FALSE(VersionCondition{.must_not_exist = true}.holds_for(3));
    EXPECT_FALSE(VersionCondition{.only = std::vector<std::int64_t>{}}.holds_for(3));
}

}  // namespace
}  // namespace trackops
