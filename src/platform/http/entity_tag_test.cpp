#include "platform/http/entity_tag.hpp"

#include <gtest/gtest.h>

namespace trackops::http {
namespace {

Result<std::optional<std::int64_t>> asked(std::string_view if_match) {
    return read_if_match({.headers = {{"if-match", std::string(if_match)}}}, "order");
}

TEST(EntityTag, IsTheVersionInQuotes) { EXPECT_EQ(entity_tag(3), "\"3\""); }

TEST(ReadIfMatch, NamesAVersionOrFails) {
    EXPECT_EQ(asked("\"3\"").value(), 3);
    EXPECT_FALSE(asked("*").value());
    EXPECT_FALSE(read_if_match({}, "order").value());
    for (const auto* text : {"3", "W/\"3\"", "\"x\"", "\"\"", "\"3", "3\"", "\"3x\""}) {
        const auto version = asked(text);
        ASSERT_FALSE(version) << text;
        EXPECT_EQ(version.error().code, Errc::precondition_failed);
        EXPECT_EQ(version.error().detail, "If-Match names no version of this order");
    }
}

}  // namespace
}  // namespace trackops::http
