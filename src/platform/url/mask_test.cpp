#include "platform/url/mask.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace trackops::url {
namespace {

TEST(Mask, HidesThePasswordAndNothingElse) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"postgres://me:hunter2@host:5432/db", "postgres://me:******@host:5432/db"},
        {"redis://:hunter2@host:6379", "redis://:******@host:6379"},
        {"redis://me:p%40ss%2Fword@[::1]:6379/3", "redis://me:******@[::1]:6379/3"},
        {"jdbc:postgresql://h:1/d?user=me&password=a%26b&sslmode=require",
         "jdbc:postgresql://h:1/d?user=me&password=******&sslmode=require"},
        {"postgres://h/d?pass%77ord=x", "postgres://h/d?pass%77ord=******"},
        {"postgres://h/d?PASSWORD=x&sslpassword=y",
         "postgres://h/d?PASSWORD=******&sslpassword=******"},
        {"postgres://h/d?password=a=b", "postgres://h/d?password=******"},
        {"postgres://h/d?password=&a=b", "postgres://h/d?password=&a=b"},
        {"postgres://me:x@h/d?password=y&a=b", "postgres://me:******@h/d?password=******&a=b"},
        {"redis://h?passwordFile=/run/secret", "redis://h?passwordFile=/run/secret"},
    };
    for (const auto& [text, shown] : cases) {
        EXPECT_EQ(masked(text), shown);
        EXPECT_EQ(holds_password(text), text != shown) << text;
    }
}

TEST(Mask, LeavesAUrlWithoutAPasswordAsItIs) {
    for (const std::string_view text :
         {"postgres://me@host:5432/db", "postgres://host:5432/db", "postgres://", "redis://[::1]",
          "redis://[::1]:6379/0", "kafka://a:9092,b:9093", "kafka://[::1]:1,[::2]:2?prefix=x.",
          "sqlite:data/orders.db", "sqlite:///data/a@b:c.db", "embedded:.data/bus",
          "embedded:", "postgres:///db?host=/run/postgresql&user=me@tenant",
          "postgres://h/db?application_name=a:b"}) {
        EXPECT_EQ(masked(text), text);
        EXPECT_FALSE(holds_password(text)) << text;
    }
}

// Someone forgot to encode the password, to write a host, or to write a URL at all.
TEST(Mask, HidesWhatMayBeAPassword) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"hunter2", "******"},
        {"postgres:/me:hunter2@host", "******"},
        {"me:hunter2postgres://x@host", "******"},
        {"jdbc:me:hunter2://host", "******"},
        {"postgres://me:a/b@c@host/db", "postgres://me:******@host/db"},
        {"postgres://me:1/b?c#d@host/db", "postgres://me:******@host/db"},
        {"postgres://me:hunter2", "postgres://me:******"},
        {"postgres://me:1x/2", "postgres://me:******"},
        {"postgres://me:a@b:c", "postgres://me:******@b:******"},
        {"postgres://h/d?password=a&b!=c&d=e", "postgres://h/d?password=******&d=e"},
        {"postgres://h/d?password=a&b&c=d", "postgres://h/d?password=******&c=d"},
        {"postgres://h/d?password=x@y", "postgres://h/d?password=******"},
        {"postgres://h:5432/d?password=x@y", "postgres://h:******"},
        {"postgres://h/d?password=x:y", "postgres://h/d?password=******"},
        {"postgres://h/d?password=x:y@z", "postgres://h/d?password=******"},
        {"postgres://h/d?user=a:b@c&password=x", "postgres://h/d?user=a:******"},
        {"postgres://h:1/d?user=me@t&password=x", "postgres://h:******"},
        {"postgres://me:a?password=b@h", "postgres://me:******"},
        {"postgres://h/d?password%=%70", "postgres://h/d?password%=******"},
        {"redis://[a:beef]@host", "redis://[a:******@host"},
        {"sqlite://me:hunter2@host/file", "sqlite://me:******@host/file"},
        {"a@b://me:hunter2@host", "******"},
    };
    for (const auto& [text, shown] : cases) EXPECT_EQ(masked(text), shown);
    EXPECT_TRUE(holds_password("postgres://me:a/b@c@host/db"));
    EXPECT_TRUE(holds_password("postgres://h/d?password=x@y"));
    EXPECT_FALSE(holds_password("hunter2"));
    EXPECT_FALSE(holds_password("8080"));
}

TEST(Mask, KnowsWhichParametersAreSecret) {
    for (const std::string_view name :
         {"password", "Password", "sslpassword", "pass", "pwd", "client_secret", "token"})
        EXPECT_TRUE(is_secret_parameter(name)) << name;
    for (const std::string_view name :
         {"user", "passfile", "passwordFile", "sslmode", "prefix", ""})
        EXPECT_FALSE(is_secret_parameter(name)) << name;
}

}  // namespace
}  // namespace trackops::url
