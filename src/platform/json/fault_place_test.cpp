#include "platform/json/fault_place.hpp"

#include <string>

#include <gtest/gtest.h>

namespace trackops::json {
namespace {

struct FaultAt {
    std::string_view text;
    std::size_t offset;
    std::string_view part;  // of the detail
};

TEST(FaultPlace, IsTheFirstByteThatIsWrong) {
    for (const auto& [text, offset, part] :
         std::initializer_list<FaultAt>{{"nul", 0, "value"},
                                        {"{", 1, "'}'"},
                                        {"[1", 2, "']'"},
                                        {"[1,]", 3, "closing"},
                                        {"{\"a\":1,}", 7, "comma"},
                                        {"{\"a\"}", 4, "':'"},
                                        {"{a:1}", 1, "quotes"},
                                        {"1 2", 2, "goes on"},
                                        {"01", 0, "0"},
                                        {"+1", 0, "value"},
                                        {"1.", 0, "point"},
                                        {"1e", 0, "exponent"},
                                        {"-", 0, "digit"},
                                        {"'a'", 0, "quotes"},
                                        {"[\"a]", 1, "closed"},
                                        {"\"\\x\"", 1, "escape"},
                                        {"\"\\ud800\"", 1, "surrogate"},
                                        {"\"\\u12g4\"", 1, "hex"},
                                        {"\"a\nb\"", 2, "\\n"},
                                        {"\"a\xff\"", 2, "UTF-8"},
                                        {"\"\xed\xa0\x80\"", 1, "UTF-8"},
                                        {"\"\xc0\x80\"", 1, "UTF-8"},
                                        {"[1e400]", 1, "too large"},
                                        {"[1e-400]", 1, "close to 0"},
                                        {"[]]", 2, "goes on"},
                                        {"{\"a\":}", 5, "closing"},
                                        {"\"\\", 1, "escape"},
                                        {"", 0, "ends"},
                                        {{"[1]\0", 4}, 3, "goes on"}}) {
        const auto fault = find_fault(text);
        ASSERT_TRUE(fault) << text;
        EXPECT_EQ(fault->offset, offset) << text << ": " << fault->detail;
        EXPECT_NE(fault->detail.find(part), std::string_view::npos)
            << text << ": " << fault->detail;
    }
    const std::string deep(1'000'000, '[');
    EXPECT_EQ(find_fault(deep)->offset, deep.size());
}

TEST(FaultPlace, IsNotInJson) {
    for (const auto* text : {"{}", " [ ] ", "0", "-1.5e+3", "\"\\ud83d\\ude00\\n\u00e9\"",
                             "{\"a\":[1,{\"b\":null}],\"c\":true}", "[0e-999, -0]"}) {
        EXPECT_FALSE(find_fault(text)) << text;
    }
}

TEST(FaultPlace, IsToldInLinesAndCharacters) {
    EXPECT_EQ(place_in_words("", 0), "line 1, column 1");
    EXPECT_EQ(place_in_words("a\r\n\u0e01\u0e02x", 9), "line 2, column 3");
    EXPECT_EQ(place_in_words("\n\n", 2), "line 3, column 1");
}

}  // namespace
}  // namespace trackops::json
