#include "platform/backends/open_database.hpp"

#include <gtest/gtest.h>

#include "platform/sql/database.hpp"
#include "platform/sql/utf8.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::sql {
namespace {

std::string opened(std::string_view url) {
    telemetry::Registry metrics;
    return backends::open_database(url, {}, metrics)->description();
}

std::string refusal(std::string_view url) {
    try {
        opened(url);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "";
}

TEST(Open, ReadsSqliteUrlsAndTouchesNoFile) {
    EXPECT_EQ(opened("sqlite:data/orders.db"), "sqlite:data/orders.db");
    EXPECT_EQ(opened("sqlite:/nowhere/orders.db"), "sqlite:/nowhere/orders.db");
    EXPECT_EQ(opened("sqlite:///nowhere/orders.db"), "sqlite:/nowhere/orders.db");
}

TEST(Open, ReadsEverySpellingOfPostgres) {
    for (const auto* url :
         {"postgres://user:secret@localhost:1/shop", "postgresql://user:secret@localhost:1/shop",
          "jdbc:postgresql://localhost:1/shop?user=user&password=secret",
          "jdbc:postgresql://a:1,b:2/shop?user=user&password=sec%26ret"}) {
        const auto description = opened(url);
        EXPECT_NE(description.find("shop"), std::string::npos) << description;
        EXPECT_EQ(description.find("secret"), std::string::npos) << description;
    }
}

TEST(Open, SaysWhatIsWrongWithAUrl) {
    for (const std::string& url :
         {std::string(), std::string("orders.db"), std::string("mysql://localhost/shop"),
          std::string("sqlite"), std::string("sqlite:"), std::string("sqlite://"),
          std::string("sqlite://host/file"), std::string("sqlite::memory:"),
          std::string("sqlite:folder/"), std::string("sqlite:a\0b", 10),
          std::string("jdbc:sqlite:file"), std::string("jdbc:postgres://localhost/shop"),
          std::string("POSTGRES://localhost/shop")}) {
        EXPECT_NE(refusal(url), "") << url;
    }
    EXPECT_EQ(refusal("mysql://user:secret@host/shop"),
              "database URL 'mysql://user:******@host/shop': it is none of sqlite:, postgres://, "
              "postgresql:// and jdbc:postgresql://; write for example sqlite:FILE, "
              "sqlite:///absolute/FILE or postgres://service@db.example:5432/shop");
}

TEST(Utf8, TakesEveryCharacterAndNothingElse) {
    for (const std::string_view text :
         {"", "a\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
          "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
        EXPECT_TRUE(is_utf8_without_nul(text)) << ::testing::PrintToString(text);
    }
    for (const std::string_view text :
         {std::string_view("\0", 1), std::string_view("a\0", 2), std::string_view("\x80"),
          std::string_view("\xc1\xbf"), std::string_view("\xc2"), std::string_view("\xc2\x41"),
          std::string_view("\xe0\x9f\xbf"), std::string_view("\xed\xa0\x80"),
          std::string_view("\xe2\x98\x41"), std::string_view("\xf0\x8f\xbf\xbf"),
          std::string_view("\xf4\x90\x80\x80"), std::string_view("\xf5\x80\x80\x80"),
          std::string_view("\xff")}) {
        EXPECT_FALSE(is_utf8_without_nul(text)) << ::testing::PrintToString(text);
    }
}

}  // namespace
}  // namespace trackops::sql
