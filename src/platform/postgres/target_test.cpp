#include "platform/postgres/target.hpp"

#include <map>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trackops::sql::postgres {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::map<std::string, std::string> settings_of(const std::string& url,
                                               const Options& options = {}) {
    const auto target = parse_target(url, options);
    return {target.settings.begin(), target.settings.end()};
}

TEST(PostgresTarget, IsReadFromTheUrl) {
    const auto settings =
        settings_of("postgres://me:s%40cret@db.example:6543/shop?sslmode=require");
    EXPECT_EQ(settings.at("host"), "db.example");
    EXPECT_EQ(settings.at("port"), "6543");
    EXPECT_EQ(settings.at("user"), "me");
    EXPECT_EQ(settings.at("password"), "s@cret");
    EXPECT_EQ(settings.at("dbname"), "shop");
    EXPECT_EQ(settings.at("sslmode"), "require");
    const auto jdbc = settings_of("postgresql://db.example:6543/shop?user=me&password=secret");
    EXPECT_EQ(jdbc.at("user"), "me");
    EXPECT_EQ(jdbc.at("password"), "secret");
}

TEST(PostgresTarget, CarriesTheTimeoutsIntoEachConnection) {
    Options options;
    options.statement_timeout = std::chrono::milliseconds(1500);
    options.lock_timeout = Duration(1);  // rounded up, because 0 would mean no timeout
    options.idle_in_transaction_timeout = std::chrono::seconds(4);
    options.tcp_user_timeout = std::chrono::milliseconds(2500);
    const auto settings = settings_of("postgres://h/d?options=-c%20work_mem%3D8MB", options);
    EXPECT_EQ(settings.at("options"),
              "-c work_mem=8MB -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c "
              "enable_mergejoin=off -c enable_hashjoin=off -c jit=off -c TimeZone=UTC "
              "-c statement_timeout=1500 -c lock_timeout=1 "
              "-c idle_in_transaction_session_timeout=4000");
    EXPECT_EQ(settings.at("tcp_user_timeout"), "2500");
    EXPECT_EQ(settings.at("keepalives_idle"), "3");
    EXPECT_EQ(settings.at("client_encoding"), "UTF8");
    EXPECT_EQ(settings.at("application_name"), "trackops");
    EXPECT_EQ(settings_of("postgres://h/d?application_name=relay").at("application_name"), "relay");
}

TEST(PostgresTarget, IsDescribedWithoutSecrets) {
    const auto target = parse_target("postgres://me:secret@db.example:6543/shop", {});
    EXPECT_EQ(target.description, "postgres://db.example:6543/shop");
    EXPECT_EQ(target.database, "shop");
}

TEST(PostgresTarget, IsTheSameWrittenForJdbc) {
    EXPECT_EQ(parse_target("jdbc:postgresql://me:secret@h/d", {}).settings,
              parse_target("postgresql://me:secret@h/d", {}).settings);
}

TEST(PostgresTarget, SaysWhatIsWrongWithAUrlButNoPassword) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"postgres://me:sec%ret@h/d", "percent-encoded"},
        {"postgres://me:secret@h/d?sslmoode=require", "sslmoode"},
        {"postgres://me:secret@[::1/d", "\"]\""},
        {"postgres://me:secret@[::1]x/d", "unexpected"},
        {"postgres://h/d?password=secret=1", "separator"},
        {std::string("postgres://h/d\0secret", 21), "NUL"},
        {"postgres://me:secret/1@h/d", "port is no number"},
        {"postgres:/me:secret@h/d", "begins with postgres://"},
    };
    for (const auto& [url, expected] : cases) {
        try {
            parse_target(url, {});
            ADD_FAILURE() << url << " was taken";
        } catch (const std::invalid_argument& error) {
            EXPECT_THAT(error.what(), HasSubstr(expected));
            EXPECT_THAT(error.what(), Not(HasSubstr("secret")));
            EXPECT_THAT(error.what(), Not(HasSubstr("sec%ret")));
        }
    }
}

}  // namespace
}  // namespace trackops::sql::postgres
