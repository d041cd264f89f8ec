#include "platform/url/with_password.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

#include "platform/url/url.hpp"

namespace trackops::url {
namespace {

TEST(WithPassword, PutsItBeforeTheHosts) {
    const Secret secret("s3/c@r:et &?");
    const std::string encoded = "s3%2Fc%40r%3Aet%20%26%3F";
    EXPECT_EQ(with_password("postgres://me@h:1,i/d?x=y", secret),
              "postgres://me:" + encoded + "@h:1,i/d?x=y");
    EXPECT_EQ(with_password("redis://h:6379/0", secret), "redis://:" + encoded + "@h:6379/0");
    EXPECT_EQ(with_password("redis://[::1]", secret), "redis://:" + encoded + "@[::1]");
    EXPECT_EQ(with_password("jdbc:postgresql://h/d?user=me", secret),
              "jdbc:postgresql://:" + encoded + "@h/d?user=me");
}

TEST(WithPassword, IsReadBackAsItWas) {
    constexpr Form form{.what = "URL", .example = "redis://h", .scheme = "redis"};
    std::string all;
    for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
    const Url url = parse_url(with_password("redis://me@h:7/3", Secret(all)), form);
    EXPECT_EQ(url.user, "me");
    EXPECT_EQ(url.password.value().reveal(), all);
    EXPECT_EQ(url.hosts.front().text(1), "h:7");
    EXPECT_EQ(url.path, "/3");
}

TEST(WithPassword, LeavesAUrlAloneWithoutOne) {
    for (const char* text : {"", "sqlite:x", "postgres://me:other@h", "nonsense"})
        EXPECT_EQ(with_password(text, Secret("")), text);
}

TEST(WithPassword, RefusesASecondOneAndAUrlWithoutAServer) {
    for (const char* text :
         {"", "sqlite:x", "sqlite:///x", "embedded:", "embedded:///d", "postgres://me:other@h",
          "postgres://h/d?password=other", "jdbc:postgresql://h/d?user=me&password=other"}) {
        try {
            with_password(text, Secret("hunter2"));
            ADD_FAILURE() << text;
        } catch (const std::invalid_argument& refusal) {
            const std::string told = refusal.what();
            EXPECT_EQ(told.find("hunter2"), std::string::npos) << told;
            EXPECT_EQ(told.find("other"), std::string::npos) << told;
        }
    }
}

}  // namespace
}  // namespace trackops::url
