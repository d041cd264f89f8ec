#include "base/case_folding.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace trackops {
namespace {

std::u32string variants_of(char32_t character) {
    const auto list = case_variants(character);
    std::u32string text(list.begin(), list.end());
    std::ranges::sort(text);
    return text;
}

TEST(CaseVariants, AreTheCasesOfALetter) {
    EXPECT_EQ(variants_of(U'a'), U"Aa");
    EXPECT_EQ(variants_of(U'Z'), U"Zz");
    EXPECT_EQ(variants_of(U'\u00e4'), U"\u00c4\u00e4");              // a with diaeresis
    EXPECT_EQ(variants_of(U'\u0427'), U"\u0427\u0447");              // Cyrillic che
    EXPECT_EQ(variants_of(U'k'), U"Kk\u212a");                       // and the Kelvin sign
    EXPECT_EQ(variants_of(U'\u03c2'), U"\u03a3\u03c2\u03c3");        // sigma at the end of a word
    EXPECT_EQ(variants_of(U'\u1e9e'), U"\u00df\u1e9e");              // sharp s
    EXPECT_EQ(variants_of(U'\u01c5'), U"\u01c4\u01c5\u01c6");        // a letter with a title case
    EXPECT_EQ(variants_of(U'\U00010400'), U"\U00010400\U00010428");  // Deseret
}

TEST(CaseVariants, OfOtherCharactersAreThemselves) {
    for (const char32_t character : std::u32string(U"1 -_%[\u0e01\u4e2d\U0001F600\u0130\u0131"))
        EXPECT_EQ(variants_of(character), std::u32string(1, character));
}

TEST(CaseVariants, AreTheSameForEachOfThem) {
    for (char32_t character = 1; character < 0x1FFFF; ++character) {
        const std::u32string variants = variants_of(character);
        ASSERT_NE(variants.find(character), std::u32string::npos);
        if (variants.size() == 1) continue;
        for (const char32_t other : variants) ASSERT_EQ(variants_of(other), variants);
    }
}

TEST(CaseFolded, IsOneTextForAllCases) {
    EXPECT_EQ(case_folded("Ada.Lovelace@Example.COM"), case_folded("ADA.lovelace@example.com"));
    EXPECT_EQ(case_folded("\u00c4rmel \u03a3"), case_folded("\u00e4RMEL \u03c2"));
    EXPECT_NE(case_folded("a"), case_folded("b"));
    EXPECT_EQ(case_folded("42 \u7dd1"), "42 \u7dd1");
}

}  // namespace
}  // namespace trackops
