#include "platform/http/query_reader.hpp"

#include <gtest/gtest.h>

#include "base/id.hpp"

namespace trackops::http {
namespace {

Request asking(std::vector<std::pair<std::string, std::string>> query) {
    return {.query = std::move(query)};
}

TEST(QueryReader, ReadsWhatIsThere) {
    const Request request = asking({{"cursor", "7"}, {"limit", "500"}});
    QueryReader in(request, {"cursor", "limit", "absent"});
    EXPECT_EQ(in.value("cursor", "must be a number", whole_number), 7);
    EXPECT_EQ(in.value("absent", "must be a number", whole_number), std::nullopt);
    EXPECT_EQ(in.limit(), 500U);
    EXPECT_TRUE(in.finish(1));
}

TEST(QueryReader, TellsEveryFaultAtOnce) {
    const Request request = asking({{"cursor", "x"}, {"limit", "501"}, {"colour", "red"}});
    QueryReader in(request, {"cursor", "limit"});
    EXPECT_EQ(in.value("cursor", "must be a number", whole_number), std::nullopt);
    EXPECT_EQ(in.limit(), page_limit_default);
    const auto result = in.finish(1);
    ASSERT_FALSE(result);
    ASSERT_EQ(result.error().fields.size(), 3U);
    EXPECT_EQ(result.error().fields[0].pointer, "colour");
    EXPECT_EQ(result.error().fields[1].detail, "must be a number");
    EXPECT_EQ(result.error().fields[2].code, "range");
}

TEST(QueryReader, TakesALimitFromOneToFiveHundred) {
    for (const auto& [text, is_taken] :
         std::initializer_list<std::pair<const char*, bool>>{{"1", true},
                                                             {"500", true},
                                                             {"0", false},
                                                             {"501", false},
                                                             {"-1", false},
                                                             {"x", false},
                                                             {"", true},
                                                             {"+50", true},
                                                             {" 50", true},
                                                             {"+-5", false},
                                                             {"+", false},
                                                             {"1 ", false},
                                                             {"99999999999999999999", false}}) {
        const Request request = asking({{"limit", text}});
        QueryReader in(request, {"limit"});
        (void)in.limit();
        EXPECT_EQ(in.finish(1).has_value(), is_taken) << text;
    }
}

TEST(QueryReader, TakesAnEmptyFilterForNone) {
    const Request request =
        asking({{"cursor", ""}, {"limit", ""}, {"status", ""}, {"q", " "}, {"at", ""}, {"id", ""}});
    QueryReader in(request, {"cursor", "limit", "status", "q", "at", "id"});
    EXPECT_EQ(in.cursor(whole_number), std::nullopt);
    EXPECT_EQ(in.limit(), page_limit_default);
    EXPECT_EQ(in.choice("status", {}), std::nullopt);
    EXPECT_EQ(in.text("q", 5), std::nullopt);
    EXPECT_EQ(in.time("at"), std::nullopt);
    EXPECT_EQ(in.id<Id<struct ThingTag>>("id"), std::nullopt);
    EXPECT_TRUE(in.finish(1));
}

TEST(QueryReader, TakesTheFormsOfPeople) {
    const Request request = asking({{"status", "confirmed"},
                                    {"q", " \u0e01\u0e02 "},
                                    {"at", "2026-11-30T01:00:00 01:00"},
                                    {"plus", "+50"}});
    QueryReader in(request, {"status", "q", "at", "plus"});
    constexpr std::string_view names[] = {"PENDING", "CONFIRMED"};
    EXPECT_EQ(in.choice("status", names), 1U);
    EXPECT_EQ(in.text("q", 2), "\u0e01\u0e02");
    EXPECT_EQ(in.time("at"), Instant::parse("2026-11-30T00:00:00Z"));
    EXPECT_TRUE(in.finish(1));
    EXPECT_EQ(whole_number("+50"), std::nullopt) << "only the limit is so kind";
}

TEST(QueryReader, SaysWhatWouldBeRight) {
    const Request request = asking({{"status", "LOST"},
                                    {"q", "abc"},
                                    {"at", "30.11.2026"},
                                    {"cursor", "x"},
                                    {"id", "42"},
                                    {"stauts", ""},
                                    {"colour", ""}});
    QueryReader in(request, {"status", "q", "at", "cursor", "id"});
    constexpr std::string_view names[] = {"PENDING", "CONFIRMED", "SHIPPED"};
    EXPECT_EQ(in.choice("status", names), std::nullopt);
    EXPECT_EQ(in.text("q", 2), std::nullopt);
    EXPECT_EQ(in.time("at"), std::nullopt);
    EXPECT_EQ(in.cursor(whole_number), std::nullopt);
    EXPECT_EQ(in.id<Id<struct ThingTag>>("id"), std::nullopt);
    const auto refused = in.finish(1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fields,
              (std::vector<FieldError>{
                  {"stauts", "is not known here; did you mean status?", "unknown"},
                  {"colour", "is not known here; known are status, q, at, cursor, id", "unknown"},
                  {"status", "must be PENDING, CONFIRMED or SHIPPED", "format"},
                  {"q", "must have at most 2 characters", "length"},
                  {"at",
                   "must be a time with its offset, such as 2026-11-30T18:00:00Z, or a date, such "
                   "as 2026-11-30",
                   "format"},
                  {"cursor", "must be the nextCursor of a page of this list", "format"},
                  {"id", "must be a UUID, such as 018bcfe5-687b-7abc-8123-456789abcdef", "format"},
              }));
    EXPECT_EQ(check_query(asking({{"a", ""}}), {}).error().fields.at(0).detail,
              "is not known here; this call takes no query parameters");
}

}  // namespace
}  // namespace trackops::http
