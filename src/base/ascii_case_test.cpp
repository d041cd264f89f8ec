#include "base/ascii_case.hpp"

#include <gtest/gtest.h>

namespace trackops {
namespace {

TEST(AsciiCase, IsThatOfTheLettersAlone) {
    EXPECT_EQ(in_lower_case("AZaz@[`{09-_\u00c4"), "azaz@[`{09-_\u00c4");
    EXPECT_TRUE(equals_in_any_case("Content-Type", "cONTENT-tYPE"));
    EXPECT_TRUE(equals_in_any_case("", ""));
    for (const auto* other : {"", "a", "abc", "aB ", "a\u00e4"})
        EXPECT_FALSE(equals_in_any_case("ab", other)) << other;
    EXPECT_FALSE(equals_in_any_case("@", "`")) << "32 apart, as letters are";
}

TEST(AsciiCase, OfABeginningDoesNotMatterEither) {
    EXPECT_TRUE(begins_in_any_case("HTTP://a", "http://"));
    EXPECT_TRUE(begins_in_any_case("http://", "http://"));
    EXPECT_TRUE(begins_in_any_case("x", ""));
    EXPECT_FALSE(begins_in_any_case("HTTP:/", "http://"));
    EXPECT_FALSE(begins_in_any_case("https://a", "http://"));
}

}  // namespace
}  // namespace trackops
