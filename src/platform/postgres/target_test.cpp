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

std::string password_of(const std::string& url) {
    const auto target = parse_target(url, {});
    if (target.secrets.empty()) return "";
    EXPECT_EQ(target.secrets.size(), 1U);
    EXPECT_EQ(target.secrets.front().first, "password");
    return target.secrets.front().second.reveal();
}

std::string description_of(const std::string& url) { return parse_target(url, {}).description; }

TEST(PostgresTarget, IsReadFromTheUrl) {
    const auto settings =
        settings_of("postgres://me:s%40cret@db.example:6543/shop?sslmode=require");
    EXPECT_EQ(settings.at("host"), "db.example");
    EXPECT_EQ(settings.at("port"), "6543");
    EXPECT_EQ(settings.at("user"), "me");
    EXPECT_EQ(settings.at("dbname"), "shop");
    EXPECT_EQ(settings.at("sslmode"), "require");
    EXPECT_FALSE(settings.contains("password"));
    EXPECT_EQ(password_of("postgres://me:s%40cret@db.example:6543/shop"), "s@cret");
    EXPECT_EQ(password_of("postgres://me@db.example/shop"), "");
}

TEST(PostgresTarget, NamesEveryHostOfACluster) {
    const std::string url = "postgres://me@a,[::1]:6543,c/shop?target_session_attrs=read-write";
    const auto settings = settings_of(url);
    EXPECT_EQ(settings.at("host"), "a,::1,c");
    EXPECT_EQ(settings.at("port"), ",6543,");
    EXPECT_EQ(settings.at("target_session_attrs"), "read-write");
    EXPECT_EQ(description_of(url), "postgres://a:5432,[::1]:6543,c:5432/shop");
    EXPECT_EQ(description_of("postgres://a,b/shop?port=7"), "postgres://a:7,b:7/shop");
}

TEST(PostgresTarget, MayNameASocketFolder) {
    EXPECT_EQ(settings_of("postgres://%2Frun%2Fpostgresql/shop").at("host"), "/run/postgresql");
    EXPECT_EQ(settings_of("postgres:///shop?host=/run/postgresql").at("host"), "/run/postgresql");
    EXPECT_FALSE(settings_of("postgres:///shop").contains("host"));
    EXPECT_EQ(description_of("postgres:///shop"), "postgres://localhost:5432/shop");
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

TEST(PostgresTarget, PassesItsParametersToLibpq) {
    const Target target = parse_target("postgres://me:s%40cret@h/d", {});
    ConnectionParameters parameters = connection_parameters(target);
    ASSERT_EQ(parameters.names.size(), parameters.values.size());
    std::map<std::string, std::string> given;
    for (std::size_t i = 0; i < parameters.names.size(); ++i)
        given[parameters.names[i]] = parameters.values[i];
    EXPECT_EQ(given.at("password"), "s@cret");
    EXPECT_EQ(given.at("user"), "me");
    EXPECT_EQ(given.size(), target.settings.size() + 1);
}

TEST(PostgresTarget, IsDescribedWithoutSecrets) {
    const auto target = parse_target("postgres://me:secret@db.example:6543/shop", {});
    EXPECT_EQ(target.description, "postgres://db.example:6543/shop");
    EXPECT_EQ(target.database, "shop");
}

TEST(PostgresTarget, IsTheSameWrittenForJdbc) {
    EXPECT_EQ(parse_target("jdbc:postgresql://me:secret@h/d", {}).settings,
              parse_target("postgresql://me:secret@h/d", {}).settings);
    const std::string jdbc = "jdbc:postgresql://a:1,b/shop?user=me&password=s%40c=ret&ssl=true";
    EXPECT_EQ(settings_of(jdbc).at("user"), "me");
    EXPECT_EQ(settings_of(jdbc).at("sslmode"), "require");
    EXPECT_EQ(settings_of(jdbc).at("host"), "a,b");
    EXPECT_EQ(password_of(jdbc), "s@c=ret");
    EXPECT_EQ(description_of(jdbc), "postgres://a:1,b:5432/shop");
}

TEST(PostgresTarget, SaysWhatIsWrongWithAUrlButNoPassword) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"postgres://me:sec%ret@h/d", "two hex digits"},
        {"postgres://me:secret@h/d?sslmoode=require", "no parameter 'sslmoode'"},
        {"postgres://h/d?password=a&secret!=b", "no parameter of such a name"},
        {"postgres://h/d?passwurd=secret", "no parameter 'passwurd'"},
        {"postgres://me:secret@[::1/d", "without its ]"},
        {"postgres://me:secret@[::1]x/d", "no host name"},
        {"postgres://h/d?password=a&secret", "NAME=VALUE"},
        {std::string("postgres://h/d\0secret", 21), "NUL"},
        {"postgres://me:secret/1@h/d", "port is no number"},
        {"postgres:/me:secret@h/d", "begins with neither postgres:// nor postgresql://"},
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
