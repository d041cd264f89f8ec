#include "platform/url/url.hpp"

#include <stdexcept>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trackops::url {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr Form form{
    .what = "cache URL", .example = "redis://cache.example:6379/0", .scheme = "redis"};
constexpr Form database{.what = "database URL",
                        .example = "postgres://db.example/shop",
                        .scheme = "postgres",
                        .other_scheme = "postgresql",
                        .takes_socket_folders = true};

std::string why(std::string_view text, const Form& of = form) {
    try {
        parse_url(text, of);
    } catch (const std::invalid_argument& refusal) {
        return refusal.what();
    }
    return "";
}

TEST(Url, IsReadInAllItsParts) {
    const Url url = parse_url(
        "postgresql://m%65:p%40ss%2Fw%3Ard@db.example:6543/sh%20op?sslmode=require&password=s%26=1",
        database);
    EXPECT_EQ(url.scheme, "postgresql");
    EXPECT_EQ(url.user, "me");
    EXPECT_EQ(url.password.value().reveal(), "p@ss/w:rd");
    ASSERT_EQ(url.hosts.size(), 1U);
    EXPECT_EQ(url.hosts[0].name, "db.example");
    EXPECT_EQ(url.hosts[0].port, 6543);
    EXPECT_EQ(url.path, "/sh op");
    ASSERT_EQ(url.parameters.size(), 1U);
    EXPECT_EQ(url.parameters[0].name, "sslmode");
    EXPECT_EQ(url.parameters[0].value, "require");
    ASSERT_EQ(url.secret_parameters.size(), 1U);
    EXPECT_EQ(url.secret_parameters[0].name, "password");
    EXPECT_EQ(url.secret_parameters[0].value.reveal(), "s&=1");
}

TEST(Url, MayLackNearlyEverything) {
    const Url url = parse_url("postgres://", database);
    EXPECT_EQ(url.user, "");
    EXPECT_FALSE(url.password);
    ASSERT_EQ(url.hosts.size(), 1U);
    EXPECT_EQ(url.hosts[0].name, "");
    EXPECT_EQ(url.hosts[0].port, std::nullopt);
    EXPECT_EQ(url.path, "");
    EXPECT_TRUE(url.parameters.empty());
    EXPECT_TRUE(parse_url("redis://h/?", form).parameters.empty());
    EXPECT_EQ(parse_url("redis://me:@h", form).password.value().reveal(), "");
    EXPECT_EQ(parse_url("redis://h?a+b=c+d", form).parameters.at(0).value, "c+d");
}

TEST(Url, NamesHostsOfEveryKind) {
    const Url url = parse_url("redis://me:a,b@a:1,[::1]:2,10.0.0.1,[fe80::2]/0", form);
    ASSERT_EQ(url.hosts.size(), 4U);
    EXPECT_EQ(url.password.value().reveal(), "a,b");
    EXPECT_EQ(url.hosts[0].text(9), "a:1");
    EXPECT_EQ(url.hosts[1].name, "::1");
    EXPECT_EQ(url.hosts[1].text(9), "[::1]:2");
    EXPECT_EQ(url.hosts[2].text(9), "10.0.0.1:9");
    EXPECT_EQ(url.hosts[3].text(9), "[fe80::2]:9");
    EXPECT_EQ(parse_url("postgres://%2Frun%2Fpostgresql/d", database).hosts[0].name,
              "/run/postgresql");
}

TEST(Url, IsRefusedWithTheReasonAndAnExampleButNoPassword) {
    const std::pair<std::string, std::string> cases[] = {
        {"", "does not begin with redis://"},
        {"secret", "does not begin with redis://"},
        {"redis:/:secret@h", "'redis:...': it does not begin with redis://"},
        {"REDIS://:secret@h", "does not begin"},
        {"postgres://:secret@h", "'postgres://:******@h': it does not begin with redis://"},
        {"redis://:secret@h/" + std::string(url_bytes_max, 'x'), "longer than 8192 bytes"},
        {std::string("redis://:secret@h\0x", 19), "'redis://:******@h': it has a NUL"},
        {"redis://:secret%00@h", "has a NUL"},
        {"redis://:sec ret@h", "a space is %20"},
        {"redis://:secret\xc3\xa9@h", "a space is %20"},
        {"redis://:secret%zz@h", "% is followed by two hex digits"},
        {"redis://:secret%4@h", "% is followed by two hex digits"},
        {"redis://:secret@h/%-1", "% is followed by two hex digits"},
        {"redis://:secret@h#x", "# is written %23"},
        {"redis://:sec@ret@h", "@ in a user or password is written %40"},
        {"redis://:sec[ret@h", "written %5B"},
        {"redis://:secret/1@h", "/ is written %2F"},
        {"redis://:1/secret@h", "/ is written %2F"},
        {"redis://:secret@[::1", "[ without its ]"},
        {"redis://:secret@[::1]x", "no host name"},
        {"redis://:secret@[::1]:x", "port"},
        {"redis://:secret@[::g]", "no host name"},
        {"redis://:secret@[v1.x]", "no host name"},
        {"redis://:secret@a%2Cb", "no host name"},
        {"redis://:secret@a!b", "no host name"},
        {"redis://:secret@h:x", "port is no number from 1 to 65535"},
        {"redis://:secret@h:", "port is no number"},
        {"redis://:secret@h:0", "port is no number"},
        {"redis://:secret@h:65536", "port is no number"},
        {"redis://:secret@h:99999", "port is no number"},
        {"redis://:secret@h:99999999999", "port is no number"},
        {"redis://:secret@a:1,b:x", "port is no number"},
        {"redis://:secret@h?passwordFile", "written NAME=VALUE"},
    };
    for (const auto& [text, reason] : cases) {
        EXPECT_THAT(why(text), AllOf(StartsWith("cache URL '"), HasSubstr(reason),
                                     HasSubstr("for example redis://cache.example:6379/0"),
                                     Not(HasSubstr("secret")), Not(HasSubstr("sec"))))
            << text;
    }
    EXPECT_THAT(why("mysql://h", database), HasSubstr("neither postgres:// nor postgresql://"));
    EXPECT_THAT(why("redis://%2Frun%2Fredis", form), HasSubstr("no host name"));
    EXPECT_THAT(why("postgres://%2Frun%2Ca/d", database), HasSubstr("no host name"));
}

TEST(Url, IsShownInAnErrorWithoutControlCharactersAndNotForever) {
    const std::string shown = why("redis://h\n\x1b[2J" + std::string(1000, 'x'));
    EXPECT_THAT(shown, StartsWith("cache URL 'redis://h??[2Jxxx"));
    EXPECT_THAT(shown, HasSubstr("xxx...'"));
    EXPECT_LT(shown.size(), 500U);
}

TEST(LocalPath, IsTakenAsItIsWritten) {
    const Form sqlite{.what = "database URL", .example = "sqlite:FILE"};
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"sqlite:data/orders.db", "data/orders.db"},
        {"sqlite:/data/a b%20c?d#e", "/data/a b%20c?d#e"},
        {"sqlite:///data/x", "/data/x"},
        {"sqlite:", ""},
        {"sqlite://", ""},
        {"embedded:.data/bus", ".data/bus"},
    };
    for (const auto& [text, path] : cases) EXPECT_EQ(local_path(text, sqlite), path);
    EXPECT_THROW(local_path("sqlite://host/file", sqlite), std::invalid_argument);
    EXPECT_THROW(local_path(std::string_view("sqlite:a\0b", 10), sqlite), std::invalid_argument);
}

TEST(Scheme, StandsBeforeTheFirstColon) {
    EXPECT_EQ(scheme_of("redis://h"), "redis");
    EXPECT_EQ(scheme_of("embedded:"), "embedded");
    EXPECT_EQ(scheme_of("jdbc:postgresql://h"), "jdbc");
    for (const std::string_view text :
         {"", "redis", "a b:c", "me@h:c", "averyveryverylongsecret:c"})
        EXPECT_EQ(scheme_of(text), "") << text;
}

}  // namespace
}  // namespace trackops::url
