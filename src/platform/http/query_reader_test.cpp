#include "platform/http/query_reader.hpp"

#include <gtest/gtest.h>

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
                                                             {"", false},
                                                             {"1 ", false},
                                                             {"99999999999999999999", false}}) {
        const Request request = asking({{"limit", text}});
        QueryReader in(request, {"limit"});
        (void)in.limit();
        EXPECT_EQ(in.finish(1).has_value(), is_taken) << text;
    }
}

}  // namespace
}  // namespace trackops::http
