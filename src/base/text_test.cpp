#include "base/text.hpp"

#include <gtest/gtest.h>

namespace trackops {
namespace {

TEST(Text, IsCountedInCodePoints) {
    EXPECT_EQ(characters_in(""), 0U);
    EXPECT_EQ(characters_in("a\n"), 2U);
    EXPECT_EQ(characters_in("\u00e9\u0e01\U0001F600"), 3U);
    EXPECT_EQ(characters_in("e\u0301"), 2U);                     // a combining mark counts
    EXPECT_EQ(characters_in("\U0001F469\u200D\U0001F467"), 3U);  // joined emoji count each
}

TEST(Text, LosesTheBlanksAtItsEnds) {
    EXPECT_EQ(trimmed(" a b\t"), "a b");
    EXPECT_EQ(trimmed("\r\n a\r\nb \n"), "a\r\nb");
    EXPECT_EQ(trimmed("\u00a0\u3000\u2003\u0e01\u2028\u0085"), "\u0e01");
    for (const auto* blank : {"", " ", "\t\n\r ", "\u00a0\u3000"}) EXPECT_EQ(trimmed(blank), "");
    for (const auto* text : {"a", "\u200b", "\ufeff", "\U0001F600", "\u0085x\u0085y"}) {
        const std::string_view kept = trimmed(text);
        EXPECT_FALSE(kept.empty()) << text;
    }
}

TEST(Text, IsTakenApartAndPutTogether) {
    const std::string text = "a\u007f\u0080\u07ff\u0800\uffff\U00010000\U0010FFFF";
    std::string_view rest = text;
    std::string again;
    std::u32string characters;
    while (!rest.empty()) {
        characters += take_character(rest);
        append_character(again, characters.back());
    }
    EXPECT_EQ(again, text);
    EXPECT_EQ(characters, U"a\u007f\u0080\u07ff\u0800\uffff\U00010000\U0010FFFF");
}

}  // namespace
}  // namespace trackops
