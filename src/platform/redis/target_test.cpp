#include "platform/redis/target.hpp"

#include <fstream>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/databases.hpp"

namespace trackops::cache {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(RedisTarget, IsReadFromAUrl) {
    const auto plain = parse_redis_target("redis://cache.example");
    EXPECT_EQ(plain.description(), "redis://cache.example:6379/0");
    EXPECT_TRUE(plain.password.empty());
    const auto full = parse_redis_target("redis://me:p%40ss%2fword@127.0.0.1:7000/3");
    EXPECT_EQ(full.description(), "redis://127.0.0.1:7000/3");
    EXPECT_EQ(full.user, "me");
    EXPECT_EQ(full.password.reveal(), "p@ss/word");
    EXPECT_EQ(parse_redis_target("redis://[::1]:7000/").description(), "redis://[::1]:7000/0");
    EXPECT_EQ(parse_redis_target("redis://[::1]").host, "::1");
}

TEST(RedisTarget, TakesThePasswordFromTheFileThenTheUrl) {
    const trackops::testing::TemporaryFolder folder;
    const std::string file = folder.path() + "/pass@word";
    std::ofstream(file) << "from file\n";
    const std::string query = "?passwordFile=" + file;
    EXPECT_EQ(parse_redis_target("redis://h" + query).password.reveal(), "from file");
    EXPECT_EQ(parse_redis_target("redis://:url@h/1" + query).password.reveal(), "from file");
    EXPECT_EQ(parse_redis_target("redis://:url@h").password.reveal(), "url");
}

TEST(RedisTarget, SaysWhatIsWrongWithAUrlButNoPassword) {
    const auto why = [](std::string_view url) -> std::string {
        try {
            parse_redis_target(url);
            return "";
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
    };
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"redis://", "names no host"},
        {"redis://:secret@:1", "names no host"},
        {"redis://:secret@h:0", "port"},
        {"redis://:secret@h:65536", "port"},
        {"redis://:secret@h:secret", "port"},
        {"redis://:secret@h/x", "database"},
        {"redis://:secret@h/-1", "database"},
        {"redis://:secret@[::1", "without its ]"},
        {"redis://:secret@[::1]x", "no host name"},
        {"redis://:secret%zz@h", "hex digits"},
        {"redis://:secret%4@h", "hex digits"},
        {"redis://:secret%-4@h", "hex digits"},
        {"redis://:secret@h?db=1", "passwordFile"},
        {"redis://:secret@h?passwordFile=a&db=1", "passwordFile"},
        {"redis://h?password=secret", "passwordFile"},
        {"redis://:secret@a,b", "more than one host"},
        {"redis://:secret@h/1/2", "database"},
        {"redis://h?passwordFile=/nowhere", "/nowhere"},
        {"redis://me:@h", "needs a password"},
        {"redis://me@h", "needs a password"},
    };
    for (const auto& [url, what] : cases) {
        EXPECT_THAT(why(url), HasSubstr(what)) << url;
        EXPECT_THAT(why(url), Not(HasSubstr("secret"))) << url;
    }
}

}  // namespace
}  // namespace trackops::cache
