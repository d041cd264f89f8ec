#include "platform/http/entity_tag.hpp"

#include <gtest/gtest.h>

namespace trackops::http {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;
using Versions = std::vector<std::int64_t>;

TEST(EntityTag, IsTheVersionInQuotes) { EXPECT_EQ(entity_tag(3), "\"3\""); }

TEST(EntityTags, AreAListOrAStar) {
    EXPECT_EQ(parse_entity_tags("\"3\""), (EntityTags{.tags = {{"3", false}}}));
    EXPECT_EQ(parse_entity_tags(" , \"3\" ,\tW/\"a,b\",,\"\" ,"),
              (EntityTags{.tags = {{"3", false}, {"a,b", true}, {"", false}}}));
    EXPECT_EQ(parse_entity_tags("\"\xc3\xa9\""), (EntityTags{.tags = {{"\xc3\xa9", false}}}));
    EXPECT_EQ(parse_entity_tags(" * "), (EntityTags{.is_any = true}));
    for (const auto* text :
         {"", ",", "3", "\"3", "3\"", "w/\"3\"", "W/3", "W/", "*,\"3\"", "**", "\"3\"\"4\"",
          "\"3\" \"4\"", "\"3\",4", "\"3\",*", "\"a b\"", "\"a\x7f\"", "\"a\tb\""}) {
        EXPECT_TRUE(parse_entity_tags(text).is_malformed) << text;
    }
    EXPECT_EQ(parse_entity_tags("\"3\",4").tags, (std::vector<EntityTag>{{"3", false}}));
}

Result<VersionCondition> condition_of(Pairs headers) {
    return read_version_condition({.method = "DELETE", .headers = std::move(headers)}, "order");
}

TEST(ReadVersionCondition, ReadsIfMatch) {
    EXPECT_EQ(condition_of({}).value(), VersionCondition{});
    EXPECT_EQ(condition_of({{"if-match", "*"}}).value(), VersionCondition{});
    EXPECT_EQ(condition_of({{"if-match", "\"3\""}}).value(),
              (VersionCondition{.only = Versions{3}}));
    // A weak tag and a tag that is not ours match nothing.
    EXPECT_EQ(condition_of({{"if-match", "\"x\", W/\"2\", \"3\""}, {"if-match", "\"4\""}}).value(),
              (VersionCondition{.only = Versions{3, 4}}));
    for (const auto* text : {"", "3", "W/\"3\"", "\"x\"", "\"\"", "\"3", "3\"", "\"3x\"", "\"3\",4",
                             "\"3\", *", "\"x\", W/\"3\""}) {
        const auto condition = condition_of({{"if-match", text}});
        ASSERT_FALSE(condition) << text;
        EXPECT_EQ(condition.error().code, Errc::precondition_failed);
        EXPECT_EQ(condition.error().detail, "If-Match names no version of this order");
    }
}

TEST(ReadVersionCondition, ReadsIfNoneMatch) {
    EXPECT_EQ(condition_of({{"if-none-match", "*"}}).value(),
              VersionCondition{.must_not_exist = true});
    EXPECT_EQ(
        condition_of({{"if-none-match", "\"x\", W/\"2\""}, {"if-none-match", "\"3\""}}).value(),
        (VersionCondition{.except = {2, 3}}));
    EXPECT_EQ(condition_of({{"if-none-match", "\"3\""}, {"if-match", "\"4\""}}).value(),
              (VersionCondition{.only = Versions{4}, .except = {3}}));
    for (const auto* text : {"", "3", "\"3\",4"})
        EXPECT_EQ(condition_of({{"if-none-match", text}}).error().code, Errc::malformed) << text;
}

struct Read {
    const char* tag;  // of the response
    const char* if_match;
    const char* if_none_match;
    int status;
};

TEST(ConditionalResponse, IsAsTheTableSays) {
    for (const auto& [tag, if_match, if_none_match, status] : {
             Read{"\"3\"", nullptr, nullptr, 200},
             {"\"3\"", nullptr, "\"3\"", 304},
             {"\"3\"", nullptr, "W/\"3\"", 304},
             {"W/\"3\"", nullptr, "\"3\"", 304},
             {"\"3\"", nullptr, "\"1\", \"3\"", 304},
             {"\"3\"", nullptr, "*", 304},
             {"\"3\"", nullptr, "\"4\"", 200},
             {"\"3\"", nullptr, "3", 200},
             {"\"3\"", nullptr, "\"33\"", 200},
             {"\"3\"", "\"3\"", nullptr, 200},
             {"\"3\"", "\"1\", \"3\"", nullptr, 200},
             {"\"3\"", "*", nullptr, 200},
             {"\"3\"", "W/\"3\"", nullptr, 412},
             {"W/\"3\"", "W/\"3\"", nullptr, 412},
             {"\"3\"", "\"4\"", nullptr, 412},
             {"\"3\"", "3", nullptr, 412},
             {"\"3\"", "\"3\"", "\"3\"", 304},
             {"\"3\"", "\"4\"", "\"3\"", 412},
             {nullptr, "\"4\"", "*", 200},
         }) {
        for (const auto* method : {"GET", "HEAD", "POST"}) {
            Request request{.method = method};
            if (if_match) request.headers.emplace_back("if-match", if_match);
            if (if_none_match) request.headers.emplace_back("if-none-match", if_none_match);
            Response response{.body = "body", .headers = {{"Cache-Control", "max-age=1"}}};
            if (tag) response.headers.emplace_back("ETag", tag);
            const Pairs headers = response.headers;
            const Response result = conditional_response(response, request);
            const int expected = method == std::string_view("POST") ? 200 : status;
            EXPECT_EQ(result.status, expected)
                << method << ' ' << (tag ? tag : "-") << ' ' << (if_match ? if_match : "-") << ' '
                << (if_none_match ? if_none_match : "-");
            if (expected == 412) {
                EXPECT_EQ(result.content_type, "application/problem+json");
            } else {
                EXPECT_EQ(result.body, expected == 304 ? "" : "body");
                EXPECT_EQ(result.headers, headers);
            }
        }
    }
}

TEST(ConditionalResponse, LeavesEveryOtherStatusAsItIs) {
    const Request request{.method = "GET", .headers = {{"if-none-match", "*"}}};
    for (const int status : {201, 202, 204, 404, 503}) {
        const Response response{.status = status, .headers = {{"ETag", "\"3\""}}};
        EXPECT_EQ(conditional_response(response, request).status, status);
    }
}

}  // namespace
}  // namespace trackops::http
