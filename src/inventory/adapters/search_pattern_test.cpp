#include "inventory/adapters/search_pattern.hpp"

#include <gtest/gtest.h>

namespace trackops::inventory::adapters {
namespace {

TEST(SearchPattern, HasEveryCaseOfALetter) {
    EXPECT_EQ(glob_of("a1"), "*[aA]1*");
    EXPECT_EQ(regex_of("a1"), "[aA]1");
    EXPECT_EQ(glob_of("\u00c4"), "*[\u00e4\u00c4]*");
    EXPECT_EQ(regex_of("\u00c4"), "[\u00e4\u00c4]");
    EXPECT_EQ(glob_of(""), "");
    EXPECT_EQ(regex_of(""), "");
}

TEST(SearchPattern, TakesEveryMarkForItself) {
    EXPECT_EQ(glob_of("*?[]^-%_\\"), "*[*][?][[]]^-%_\\*");
    EXPECT_EQ(regex_of(".*[]^$(){}|+?\\- %_"),
              "\\.\\*\\[\\]\\^\\$\\(\\)\\{\\}\\|\\+\\?\\\\\\- \\%\\_");
    EXPECT_EQ(regex_of("***="), "\\*\\*\\*\\=");
    EXPECT_EQ(glob_of("\u0e01\U0001F600"), "*\u0e01\U0001F600*");
}

}  // namespace
}  // namespace trackops::inventory::adapters
