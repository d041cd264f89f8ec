// Key pairs, key sets and tokens for tests.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "platform/access/token.hpp"
#include "testing/fakes.hpp"

namespace trackops::access {

// A key pair of a provider. Its functions stand in token_test.cpp.
class Pair {
public:
    static Pair rsa(std::string kid, std::size_t bits = 2048);
    static Pair ec(std::string kid);
    // The public key in a set, with further members.
    std::string jwk(const std::string& more = "") const;
    // Returns "" if the pair cannot sign so.
    std::string sign(std::string_view header, std::string_view claims) const;
    const std::string& kid() const { return kid_; }

private:
    using Key = std::unique_ptr<_cjose_jwk_int, TokenKey::Release>;
    Pair(Key key, std::string kid) : key_(std::move(key)), kid_(std::move(kid)) {}
    Key key_;
    std::string kid_;
};

inline const Pair& rsa() {
    static const Pair pair = Pair::rsa("r");
    return pair;
}
inline const Pair& ec() {
    static const Pair pair = Pair::ec("e");
    return pair;
}
inline std::string key_set(const std::vector<std::string>& keys) {
    return fmt::format(R"({{"keys":[{}]}})", fmt::join(keys, ","));
}

class TokenTest : public ::testing::Test {
protected:
    TokenTest() {
        auto keys = read_key_set(key_set({rsa().jwk(), ec().jwk()}));
        EXPECT_TRUE(keys.has_value()) << keys.error().detail;
        providers_ = {{{.name = "shop",
                        .issuer = "https://id.example",
                        .audience = "trackops",
                        .scopes = {http::Scope::orders_read, http::Scope::orders_write,
                                   http::Scope::orders_own}},
                       std::make_shared<const KeySet>(*std::move(keys))},
                      {{.name = "later", .issuer = "https://later.example", .audience = "trackops"},
                       nullptr}};
    }
    // Claims that are right, with changes: a member whose value is "" is left out.
    std::string claims(const std::map<std::string, std::string>& changes = {}) const {
        std::map<std::string, std::string> all{{"iss", R"("https://id.example")"},
                                               {"sub", R"("u1")"},
                                               {"aud", R"("trackops")"},
                                               {"scope", R"("orders:read operate unknown")"},
                                               {"exp", at(300)}};
        for (const auto& [name, value] : changes) all[name] = value;
        std::string text;
        for (const auto& [name, value] : all) {
            if (!value.empty())
                text += fmt::format(R"({}"{}":{})", text.empty() ? "" : ",", name, value);
        }
        return "{" + text + "}";
    }
    std::string at(std::int64_t seconds) const {
        return fmt::to_string(now_.micros / 1'000'000 + seconds);
    }
    std::string good(const std::map<std::string, std::string>& changes = {}) const {
        return rsa().sign(R"({"alg":"RS256","kid":"r"})", claims(changes));
    }
    std::string outcome(const std::string& token) const {
        const auto verified = verify_token(token, providers_, now_);
        if (!verified) return std::string(name_of(verified.error()));
        return verified->principal.name;
    }
    const Instant now_ = trackops::testing::FakeClock().now();
    std::vector<KnownProvider> providers_;
};

}  // namespace trackops::access
