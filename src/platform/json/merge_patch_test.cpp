#include "platform/json/merge_patch.hpp"

#include <array>

#include <gtest/gtest.h>

namespace trackops::json {
namespace {

struct Case {
    std::string_view target;
    std::string_view patch;
    std::string_view merged;
};

// The cases of RFC 7396, appendix A.
TEST(MergePatch, MergesAsTheStandardSays) {
    constexpr auto cases = std::to_array<Case>({
        {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
        {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
        {R"({"a":"b"})", R"({"a":null})", R"({})"},
        {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
        {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
        {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
        {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
        {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
        {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
        {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
        {R"({"a":"foo"})", R"(null)", R"(null)"},
        {R"({"a":"foo"})", R"("bar")", R"("bar")"},
        {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
        {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
        {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
    });
    for (const Case& one : cases) EXPECT_EQ(merge_patch(one.target, one.patch), one.merged);
}

TEST(MergePatch, KeepsNumbersDigitForDigit) {
    EXPECT_EQ(merge_patch(R"({"a":1.10,"b":2})", R"({"b":12345678901234567890.5})"),
              R"({"a":1.10,"b":12345678901234567890.5})");
}

TEST(MergePatch, RefusesTextThatIsNoJson) {
    EXPECT_EQ(merge_patch("{}", "{").error().code, Errc::malformed);
    EXPECT_EQ(merge_patch("{", "{}").error().code, Errc::malformed);
}

}  // namespace
}  // namespace trackops::json
