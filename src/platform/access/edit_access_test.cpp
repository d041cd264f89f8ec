#include "platform/access/edit_access.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "testing/fakes.hpp"

namespace trackops::access {
namespace {

using http::Scope;

constexpr Duration day = std::chrono::hours(24);
constexpr http::Scopes reader{Scope::orders_read};

class EditAccess : public ::testing::Test {
protected:
    NewKey add(const std::string& name, http::Scopes scopes = reader) {
        return add_key(file_, name, scopes, {now_, now_ + 100 * day}).value();
    }
    const Key& key(const std::string& id) const {
        return *std::ranges::find(file_.keys, id, &Key::id);
    }

    const Instant now_ = trackops::testing::FakeClock().now();
    AccessFile file_;
};

TEST_F(EditAccess, AddsAKeyThatTheFileTakes) {
    const NewKey added = add("shop");
    EXPECT_EQ(file_.keys, (std::vector<Key>{{.name = "shop",
                                             .id = added.id,
                                             .digest = added.digest,
                                             .scopes = reader,
                                             .not_before = now_,
                                             .not_after = now_ + 100 * day}}));
    add("shop");
    EXPECT_EQ(read_access_file(text_of(file_)).value(), file_);
    EXPECT_EQ(add_key(file_, "a shop", reader, {now_, now_ + day}).error().code, Errc::invalid);
    EXPECT_EQ(add_key(file_, "shop", {}, {now_, now_ + day}).error().code, Errc::invalid);
    EXPECT_EQ(file_.keys.size(), 2u);
    file_.keys.resize(keys_max);
    EXPECT_EQ(add_key(file_, "shop", reader, {now_, now_ + day}).error().code, Errc::conflict);
}

TEST_F(EditAccess, RotatesAKeyWithoutAnOutage) {
    const NewKey other = add("stock");
    const NewKey old = add("shop");
    const Instant then = now_ + day;
    const NewKey fresh = rotate_key(file_, "shop", {then, then + 100 * day}, then + day).value();
    EXPECT_EQ(file_.keys.size(), 3u);
    EXPECT_EQ(key(old.id).not_after, then + day);
    EXPECT_EQ(key(other.id).not_after, now_ + 100 * day);
    EXPECT_EQ(key(fresh.id).not_before, then);
    EXPECT_EQ(key(fresh.id).not_after, then + 100 * day);
    EXPECT_EQ(key(fresh.id).scopes, reader);
    EXPECT_EQ(key(fresh.id).name, "shop");
    // The old one has ended when the next rotation comes; the one before ends no later than it did.
    const Instant later = then + 2 * day;
    const NewKey next = rotate_key(file_, "shop", {later, later + day}, later + 1000 * day).value();
    EXPECT_EQ(file_.keys.size(), 3u);
    EXPECT_EQ(std::ranges::count(file_.keys, old.id, &Key::id), 0);
    EXPECT_EQ(key(fresh.id).not_after, then + 100 * day);
    EXPECT_EQ(key(next.id).not_after, later + day);
    EXPECT_EQ(read_access_file(text_of(file_)).value(), file_);
}

TEST_F(EditAccess, RotatesOnlyWhatIsValidAndClear) {
    add("shop");
    const AccessFile before = file_;
    EXPECT_EQ(rotate_key(file_, "stock", {now_, now_ + day}, now_).error().code, Errc::not_found);
    const Instant late = now_ + 100 * day;
    EXPECT_EQ(rotate_key(file_, "shop", {late, late + day}, late).error().code, Errc::not_found);
    EXPECT_EQ(file_, before);
    add("shop", {Scope::orders_write});
    EXPECT_EQ(rotate_key(file_, "shop", {now_, now_ + day}, now_).error().code, Errc::conflict);
    EXPECT_EQ(file_.keys.front(), before.keys.front());
}

TEST_F(EditAccess, EndsAKeyAtOnceButNeverBeforeItBegan) {
    const NewKey old = add("shop");
    ASSERT_TRUE(rotate_key(file_, "shop", {now_, now_ + day}, now_));
    EXPECT_EQ(key(old.id).not_after, now_ + Duration(1));
    EXPECT_EQ(read_access_file(text_of(file_)).value(), file_);
}

TEST_F(EditAccess, AddsAndReplacesOperators) {
    EXPECT_TRUE(add_operator(file_, {.name = "eva", .password_hash = "a"}, false));
    EXPECT_EQ(add_operator(file_, {.name = "eva", .password_hash = "b"}, false).error().code,
              Errc::conflict);
    EXPECT_EQ(file_.operators.front().password_hash, "a");
    EXPECT_TRUE(
        add_operator(file_, {.name = "eva", .password_hash = "b", .role = Role::admin}, true));
    EXPECT_EQ(file_.operators,
              (std::vector<Operator>{{.name = "eva", .password_hash = "b", .role = Role::admin}}));
    EXPECT_EQ(add_operator(file_, {.name = "-"}, true).error().code, Errc::invalid);
    file_.operators.resize(operators_max);
    EXPECT_EQ(add_operator(file_, {.name = "max"}, false).error().code, Errc::conflict);
}

TEST_F(EditAccess, RevokesByNameOrId) {
    const NewKey first = add("shop");
    const NewKey second = add("shop");
    add("stock");
    EXPECT_EQ(revoke_key(file_, first.id), 1u);
    EXPECT_EQ(revoke_key(file_, first.id), 0u);
    EXPECT_EQ(key(second.id).name, "shop");
    add("shop");
    EXPECT_EQ(revoke_keys(file_, "shop"), 2u);
    EXPECT_EQ(file_.keys.size(), 1u);
    EXPECT_TRUE(add_operator(file_, {.name = "shop"}, false));
    EXPECT_EQ(revoke_keys(file_, "shop"), 0u);
    EXPECT_EQ(revoke_operator(file_, "shop"), 1u);
    EXPECT_TRUE(file_.operators.empty());
}

TEST(ParseScopes, TakesAListAndNothingElse) {
    EXPECT_EQ(parse_scopes("orders:read").value(), reader);
    EXPECT_EQ(parse_scopes("orders:read, orders:write,").value(),
              (http::Scopes{Scope::orders_read, Scope::orders_write}));
    for (const char* list : {"", ",", "everybody", "orders", "orders:read;orders:write"})
        EXPECT_EQ(parse_scopes(list).error().code, Errc::invalid) << list;
}

}  // namespace
}  // namespace trackops::access
