#include "platform/access/access_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/access/key_text.hpp"
#include "platform/access/password.hpp"

namespace trackops::access {
namespace {

using http::Scope;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string& a_hash() {
    static const std::string hash = hash_password(Secret("correct horse battery"));
    return hash;
}

AccessFile example() {
    return {.keys = {{.name = "shop",
                      .id = "7Rk2mPq9",
                      .digest = sha256("a"),
                      .scopes = {Scope::orders_read, Scope::orders_write},
                      .not_before = Instant::parse("2026-01-01T00:00:00Z").value(),
                      .not_after = Instant::parse("2027-01-01T00:00:00Z").value()},
                     {.name = "shop",
                      .id = "00000000",
                      .digest = sha256("b"),
                      .scopes = {Scope::admin},
                      .not_after = Instant::parse("2028-01-01T00:00:00Z").value()}},
            .operators = {{.name = "eva@example", .password_hash = a_hash(), .role = Role::clerk}}};
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    if (at == std::string::npos) ADD_FAILURE() << from << " is not in " << text;
    return text.replace(at, from.size(), to);
}

TEST(AccessFile, IsReadBack) {
    const auto read = read_access_file(text_of(example()));
    ASSERT_TRUE(read) << faults_of(read.error());
    EXPECT_EQ(*read, example());
    EXPECT_EQ(read_access_file(text_of({})).value(), AccessFile{});
    EXPECT_EQ(read_access_file("{}").value(), AccessFile{});
}

TEST(AccessFile, HasALineForEachKeyAndOperator) {
    const std::string text = text_of(example());
    EXPECT_THAT(text,
                HasSubstr("\n    {\"name\":\"shop\",\"id\":\"7Rk2mPq9\",\"sha256\":\"ca978112"));
    EXPECT_THAT(text,
                HasSubstr("\"scopes\":[\"orders:read\",\"orders:write\"],\"notBefore\":\"2026-"));
    EXPECT_THAT(text, HasSubstr("\n    {\"name\":\"eva@example\",\"role\":\"clerk\",\"password\":"
                                "\"$argon2id$v=19$m=19456,t=2,p=1$"));
}

TEST(AccessFile, IsRefusedForEachFault) {
    struct Case {
        std::string_view from, to, pointer, code;
    };
    const std::string good = text_of(example());
    for (const Case& one : std::vector<Case>{
             {R"("name":"shop",)", "", "/keys/0/name", "required"},
             {R"("name":"shop")", R"("name":"-shop")", "/keys/0/name", "format"},
             {R"("name":"shop")", R"("name":"a shop")", "/keys/0/name", "format"},
             {R"("id":"7Rk2mPq9")", R"("id":"7Rk2mPq")", "/keys/0/id", "format"},
             {R"("id":"7Rk2mPq9")", R"("id":"00000000")", "/keys/1/id", "repeated"},
             {R"("sha256":"ca97)", R"("sha256":"CA97)", "/keys/0/sha256", "format"},
             {R"("sha256":"ca97)", R"("sha256":"ca9)", "/keys/0/sha256", "format"},
             {R"("orders:write")", R"("orders:wite")", "/keys/0/scopes/1", "format"},
             {R"("orders:write")", R"("everybody")", "/keys/0/scopes/1", "format"},
             {R"("orders:write")", "7", "/keys/0/scopes/1", "format"},
             {R"(["orders:read","orders:write"])", "[]", "/keys/0/scopes", "length"},
             {R"("notAfter":"2027)", R"("notAfter":"2026)", "/keys/0/notAfter", "range"},
             {R"("notAfter":"2027-01)", R"("notAfter":"2027-13)", "/keys/0/notAfter", "format"},
             {R"("notBefore")", R"("notbefore")", "/keys/0/notbefore", "unknown"},
             {R"("name":"eva@example")", R"("name":"")", "/operators/0/name", "length"},
             {R"("role":"clerk")", R"("role":"king")", "/operators/0/role", "format"},
             {"t=2,p=1", "t=1,p=1", "/operators/0/password", "format"},
             {"m=19456", "m=9999999", "/operators/0/password", "format"},
             {R"("operators")", R"("people")", "/people", "unknown"}}) {
        const auto read = read_access_file(replaced(good, one.from, one.to));
        ASSERT_FALSE(read) << one.to;
        ASSERT_EQ(read.error().fields.size(), 1u) << one.to << ": " << faults_of(read.error());
        EXPECT_EQ(read.error().fields[0].pointer, one.pointer) << one.to;
        EXPECT_EQ(read.error().fields[0].code, one.code) << one.to;
    }
    EXPECT_EQ(read_access_file("").error().code, Errc::malformed);
    EXPECT_EQ(read_access_file(good.substr(0, good.size() - 3)).error().code, Errc::malformed);
    EXPECT_EQ(read_access_file("[]").error().code, Errc::invalid);
    EXPECT_EQ(read_access_file(std::string(access_file_bytes_max + 1, ' ')).error().code,
              Errc::too_large);
}

TEST(AccessFile, IsRefusedWithAllFaultsAtOnceAndWithoutAValue) {
    const auto read = read_access_file(
        R"({"keys": [{"name": "shop", "id": "trk_7Rk2mPq9_hush", "secret": "hush"},
                     {"scopes": ["hush"]}], "operators": [{"name": "eva", "password": "hush"}]})");
    ASSERT_FALSE(read);
    std::vector<std::string> pointers;
    for (const FieldError& fault : read.error().fields) pointers.push_back(fault.pointer);
    EXPECT_THAT(pointers,
                ElementsAre("/keys/0/id", "/keys/0/sha256", "/keys/0/scopes", "/keys/0/notAfter",
                            "/keys/0/secret", "/keys/1/name", "/keys/1/id", "/keys/1/sha256",
                            "/keys/1/scopes/0", "/keys/1/notAfter", "/operators/0/password",
                            "/operators/0/role"));
    EXPECT_EQ(faults_of(read.error()).find("hush"), std::string::npos) << faults_of(read.error());
}

TEST(AccessFile, TakesOperatorsOfOneNameOnce) {
    AccessFile file = example();
    file.operators.push_back(file.operators.front());
    const auto read = read_access_file(text_of(file));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().fields.at(0).pointer, "/operators/1/name");
}

TEST(Password, IsKnownByItsHashOnly) {
    EXPECT_TRUE(is_password_hash(a_hash()));
    EXPECT_TRUE(is_password(Secret("correct horse battery"), a_hash()));
    EXPECT_FALSE(is_password(Secret("correct horse batterY"), a_hash()));
    EXPECT_FALSE(is_password(Secret(""), a_hash()));
    EXPECT_NE(hash_password(Secret("correct horse battery")), a_hash());  // salted
    EXPECT_FALSE(is_password_hash(""));
    EXPECT_FALSE(is_password_hash("correct horse battery"));
    EXPECT_FALSE(is_password_hash(a_hash().substr(0, 40)));
    EXPECT_FALSE(is_password_hash(replaced(a_hash(), "argon2id", "argon2i")));
}

// Everything that is promised about the roles.
constexpr std::string_view rights = R"(
                  viewer clerk operator admin
orders:read       x      x     x        x
orders:write      -      x     x        x
inventory:read    x      x     x        x
inventory:write   -      x     x        x
relay:read        x      x     x        x
operate           -      -     x        x
audit:read        -      -     x        x
metrics:read      -      -     x        x
admin             -      -     -        x
orders:own        -      -     -        x
)";

TEST(Roles, HaveTheScopesOfTheTable) {
    std::istringstream in{std::string(rights)};
    std::vector<Role> roles(role_count);
    std::string word;
    for (Role& role : roles) {
        in >> word;
        role = role_named(word).value();
        EXPECT_EQ(name_of(role), word);
    }
    std::size_t scopes = 0;
    for (; in >> word; ++scopes) {
        const Scope scope = http::scope_named(word).value();
        for (const Role role : roles) {
            std::string mark;
            in >> mark;
            EXPECT_EQ(scopes_of(role).contains(scope), mark == "x") << word << " " << name_of(role);
        }
    }
    EXPECT_EQ(scopes, names_of(http::Scopes::all()).size());
    EXPECT_FALSE(role_named("king"));
    EXPECT_EQ(all_role_names(), "viewer, clerk, operator, admin");
    EXPECT_THAT(names_of({Scope::admin, Scope::orders_read}), ElementsAre("orders:read", "admin"));
}

}  // namespace
}  // namespace trackops::access
