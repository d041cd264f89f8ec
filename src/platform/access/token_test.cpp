// Tokens of identity providers: which are taken, and which forgeries are not.
#include "platform/access/token.hpp"

#include <fstream>

#include <cjose/jwk.h>
#include <cjose/jws.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sodium/crypto_auth_hmacsha256.h>
#include <sodium/utils.h>

#include "platform/access/token_for_tests.hpp"
#include "platform/access/tokens.hpp"
#include "platform/json/reader.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"

namespace trackops::access {

Pair Pair::rsa(std::string kid, std::size_t bits) {
    const std::uint8_t e[] = {1, 0, 1};
    return {Key(cjose_jwk_create_RSA_random(bits, e, sizeof e, nullptr)), std::move(kid)};
}

Pair Pair::ec(std::string kid) {
    return {Key(cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, nullptr)), std::move(kid)};
}

std::string Pair::jwk(const std::string& more) const {
    char* const text = cjose_jwk_to_json(key_.get(), false, nullptr);
    std::string out(text, std::string_view(text).size() - 1);
    ::free(text);
    return out + fmt::format(R"(,"kid":"{}"{}}})", kid_, more);
}

std::string Pair::sign(std::string_view header, std::string_view claims) const {
    std::unique_ptr<cjose_header_t, void (*)(cjose_header_t*)> head(cjose_header_new(nullptr),
                                                                    cjose_header_release);
    const auto document = json::Document::parse(header).value();
    document.root().each_member([&](std::string_view name, json::Value value) {
        const std::string member(name);
        if (const auto text = value.text())
            cjose_header_set(head.get(), member.c_str(), std::string(*text).c_str(), nullptr);
        else
            cjose_header_set_raw(head.get(), member.c_str(), value.minified().c_str(), nullptr);
    });
    std::unique_ptr<cjose_jws_t, void (*)(cjose_jws_t*)> jws(
        cjose_jws_sign(key_.get(), head.get(), reinterpret_cast<const std::uint8_t*>(claims.data()),
                       claims.size(), nullptr),
        cjose_jws_release);
    const char* text = nullptr;
    if (!jws || !cjose_jws_export(jws.get(), &text, nullptr)) return "";
    return text;
}

namespace {

using namespace std::chrono_literals;
using http::Scope;
using ::testing::HasSubstr;

std::string base64url(std::string_view bytes) {
    std::string text(
        sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING), '\0');
    sodium_bin2base64(text.data(), text.size(),
                      reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    text.resize(text.find('\0'));
    return text;
}

TEST_F(TokenTest, NamesItsSubjectWithTheScopesThatTheProviderMayGive) {
    const auto verified = verify_token(good(), providers_, now_);
    ASSERT_TRUE(verified.has_value());
    EXPECT_EQ(verified->principal.name, "token:shop/u1");
    EXPECT_EQ(verified->principal.scopes, (http::Scopes{Scope::orders_read}));
    EXPECT_EQ(verified->principal.customer_id, "");
    EXPECT_EQ(verified->ends_at, now_ + 330s);
    EXPECT_EQ(outcome(ec().sign(R"({"alg":"ES256","kid":"e"})", claims())), "token:shop/u1");
    const auto listed =
        verify_token(good({{"scope", R"(["orders:write","admin",7])"}}), providers_, now_);
    EXPECT_EQ(listed->principal.scopes, (http::Scopes{Scope::orders_write}));
    EXPECT_EQ(verify_token(good({{"scope", ""}}), providers_, now_)->principal.scopes,
              http::Scopes{});
}

TEST_F(TokenTest, OfACustomerIsForItsOwnOrdersAndNothingElse) {
    const auto verified = verify_token(
        good({{"scope", R"("orders:read orders:own orders:write")"}, {"customer_id", R"("c1")"}}),
        providers_, now_);
    ASSERT_TRUE(verified.has_value());
    EXPECT_EQ(verified->principal.name, "customer:c1");
    EXPECT_EQ(verified->principal.scopes, (http::Scopes{Scope::orders_own}));
    EXPECT_EQ(verified->principal.customer_id, "c1");
    for (const char* bad : {"", R"("")", "7", R"("a b")", R"("a\nb")"})
        EXPECT_EQ(outcome(good({{"scope", R"("orders:own")"}, {"customer_id", bad}})),
                  "token_claims")
            << bad;
}

TEST_F(TokenTest, IsRefusedForEachClaimThatIsNotAsItMustBe) {
    const std::vector<std::tuple<std::string, std::string, std::string>> cases{
        {"iss", R"("https://evil.example")", "token_issuer"},
        {"iss", "", "token_issuer"},
        {"iss", R"("https://later.example")", "token_unasked"},
        {"aud", R"("other")", "token_audience"},
        {"aud", "", "token_audience"},
        {"aud", R"(["other","trackops"])", "token:shop/u1"},
        {"aud", R"(["other"])", "token_audience"},
        {"exp", "", "token_claims"},
        {"exp", R"("1")", "token_claims"},
        {"exp", "1e300", "token_claims"},
        {"exp", at(-29), "token:shop/u1"},
        {"exp", at(-30), "token_expired"},
        {"nbf", at(30), "token:shop/u1"},
        {"nbf", at(31), "token_early"},
        {"nbf", "true", "token_claims"},
        {"sub", "", "token_claims"},
        {"sub", R"("a\nb")", "token_claims"},
        {"sub", R"("a\"b")", "token_claims"},
    };
    for (const auto& [claim, value, expected] : cases)
        EXPECT_EQ(outcome(good({{claim, value}})), expected) << claim << "=" << value;
}

TEST_F(TokenTest, IsRefusedWhenItIsForged) {
    const std::string token = good();
    const auto dot = token.rfind('.');
    const std::string body = base64url(claims());
    const auto with_header = [&](std::string_view header, std::string_view signature) {
        return base64url(header) + "." + body + "." + std::string(signature);
    };
    const std::string signature = token.substr(dot + 1);
    // Without a signature, with none, and with one that belongs elsewhere.
    EXPECT_EQ(outcome(with_header(R"({"alg":"none","kid":"r"})", "")), "token_algorithm");
    EXPECT_EQ(outcome(with_header(R"({"alg":"NONE","kid":"r"})", signature)), "token_algorithm");
    EXPECT_EQ(outcome(with_header(R"({"kid":"r"})", signature)), "token_algorithm");
    EXPECT_EQ(outcome(token.substr(0, dot + 1)), "token_signature");
    EXPECT_EQ(outcome(token.substr(0, dot)), "token_malformed");
    EXPECT_EQ(outcome(with_header(R"({"alg":"RS256","kid":"r"})", base64url("x"))),
              "token_signature");
    const std::string other = good({{"sub", R"("u2")"}});
    EXPECT_EQ(outcome(token.substr(0, dot) + other.substr(other.rfind('.'))), "token_signature");
    // The other key, an unknown key, no key.
    EXPECT_EQ(outcome(rsa().sign(R"({"alg":"RS256","kid":"e"})", claims())), "token_algorithm");
    EXPECT_EQ(outcome(rsa().sign(R"({"alg":"RS256","kid":"x"})", claims())), "token_key");
    EXPECT_EQ(outcome(rsa().sign(R"({"alg":"RS256"})", claims())), "token_key");
    EXPECT_EQ(outcome(rsa().sign(R"({"alg":"PS256","kid":"r"})", claims())), "token_algorithm");
    EXPECT_EQ(outcome(Pair::rsa("r").sign(R"({"alg":"RS256","kid":"r"})", claims())),
              "token_signature");
    // A header that brings its own key, or asks for more than RFC 7519.
    EXPECT_EQ(outcome(Pair::rsa("r").sign(
                  fmt::format(R"({{"alg":"RS256","kid":"r","jwk":{}}})", rsa().jwk()), claims())),
              "token_signature");
    EXPECT_EQ(outcome(rsa().sign(R"({"alg":"RS256","kid":"r","crit":["b64"]})", claims())),
              "token_malformed");
}

// The public key, taken for the secret of an HMAC: the oldest forgery of all.
TEST_F(TokenTest, IsRefusedWhenAPublicKeyWasTakenForASecret) {
    for (const std::string& secret : {rsa().jwk(), ec().jwk()}) {
        for (const char* kid : {"r", "e"}) {
            const std::string input =
                base64url(fmt::format(R"({{"alg":"HS256","kid":"{}"}})", kid)) + "." +
                base64url(claims());
            crypto_auth_hmacsha256_state state;
            std::array<unsigned char, crypto_auth_hmacsha256_BYTES> mac{};
            crypto_auth_hmacsha256_init(
                &state, reinterpret_cast<const unsigned char*>(secret.data()), secret.size());
            crypto_auth_hmacsha256_update(
                &state, reinterpret_cast<const unsigned char*>(input.data()), input.size());
            crypto_auth_hmacsha256_final(&state, mac.data());
            EXPECT_EQ(outcome(input + "." +
                              base64url({reinterpret_cast<const char*>(mac.data()), mac.size()})),
                      "token_algorithm");
        }
    }
}

TEST_F(TokenTest, IsRefusedWhenItIsNoToken) {
    const std::string token = good();
    for (const std::string& bad :
         {std::string(), std::string(".."), std::string("eyJ.."), token + ".", token + "=",
          token + std::string(token_bytes_max, 'A'), std::string("eyJ") + token,
          base64url(R"({"alg":"RS256","kid":"r","kid":"e"})") + "." + base64url(claims()) + ".AA",
          base64url(R"({"alg":"RS256"})") + "." + base64url("[]") + ".AA",
          base64url(R"({"a":1})") + "." + base64url("\xff") + ".AA"})
        EXPECT_EQ(outcome(bad), "token_malformed") << bad.substr(0, 200);
    for (std::size_t size = 0; size < token.size(); size += 7)
        EXPECT_FALSE(verify_token(token.substr(0, size), providers_, now_).has_value()) << size;
    for (std::size_t i = 0; i < token.size(); ++i) {
        std::string changed = token;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        // The last character of a part may have bits that say nothing.
        const bool is_last = i + 1 == token.size() || token[i + 1] == '.';
        if (changed == token || is_last) continue;
        EXPECT_FALSE(verify_token(changed, providers_, now_).has_value()) << i;
    }
}

TEST(KeySets, LeaveOutWhatVerifiesNoSignature) {
    const std::string secret = R"({"kty":"oct","kid":"s","alg":"HS256","k":"c2VjcmV0"})";
    const auto keys = read_key_set(key_set({secret, rsa().jwk(R"(,"use":"sig","alg":"RS256")"),
                                            Pair::ec("enc").jwk(R"(,"use":"enc")"),
                                            Pair::ec("wrong").jwk(R"(,"alg":"HS256")"), "7"}));
    ASSERT_TRUE(keys.has_value()) << keys.error().detail;
    EXPECT_EQ(keys->size(), 1u);
    EXPECT_EQ(keys->at("r").algorithm, Algorithm::rs256);
}

TEST(KeySets, AreRefusedWithTheReason) {
    const auto fault = [](const std::string& text) {
        const auto keys = read_key_set(text);
        return keys ? "accepted" : keys.error().detail;
    };
    EXPECT_THAT(fault("{}"), HasSubstr("has no member keys"));
    EXPECT_THAT(fault(key_set({})), HasSubstr("has no key"));
    EXPECT_THAT(fault(key_set({R"({"kty":"oct","kid":"s","k":"c2VjcmV0"})"})),
                HasSubstr("has no key"));
    EXPECT_THAT(fault(key_set({rsa().jwk(), rsa().jwk()})), HasSubstr("two keys with one kid"));
    EXPECT_THAT(fault(key_set({Pair::rsa("weak", 1024).jwk()})), HasSubstr("2048"));
    EXPECT_THAT(fault(key_set({R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":"b"})"})),
                HasSubstr("broken"));
    EXPECT_THAT(fault(key_set(std::vector<std::string>(token_keys_max + 1, "7"))),
                HasSubstr("more than 32 keys"));
    EXPECT_THAT(fault(std::string(key_set_bytes_max + 1, ' ')), HasSubstr("more than 64 KiB"));
    EXPECT_NE(fault("{"), "accepted");
}

class TokensTest : public TokenTest {
protected:
    TokensTest() {
        file_.providers = {{.name = "shop",
                            .issuer = "https://id.example",
                            .audience = "trackops",
                            .key_set_file = folder_.path() + "/keys.json",
                            .scopes = {Scope::orders_read}}};
        write("access.json", text_of(file_));
        callers_ = std::make_unique<AccessStore>(folder_.path() + "/access.json", clock_, metrics_);
    }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_.path() + "/" + name) << text;
    }
    static std::string name_of_caller(Tokens& tokens, const std::string& token) {
        const auto principal = tokens.identify(token);
        return principal->is_authenticated ? principal->name : std::string(principal->fault);
    }
    const trackops::testing::TemporaryFolder folder_;
    trackops::testing::FakeClock clock_;
    telemetry::Registry metrics_;
    AccessFile file_;
    std::unique_ptr<AccessStore> callers_;
};

TEST_F(TokensTest, TakesTheKeysThatItsFileHasAndKeepsTheLastGoodOnes) {
    Tokens tokens(*callers_, clock_, metrics_);
    EXPECT_TRUE(tokens.has_providers());
    EXPECT_EQ(name_of_caller(tokens, good()), "the keys of the issuer are not known yet");
    write("keys.json", key_set({rsa().jwk()}));
    tokens.run({});
    EXPECT_EQ(name_of_caller(tokens, good()), "token:shop/u1");
    write("keys.json", "broken");
    tokens.run({});
    EXPECT_EQ(name_of_caller(tokens, good()), "token:shop/u1");
    write("keys.json", key_set({ec().jwk()}));
    tokens.run({});
    EXPECT_EQ(name_of_caller(tokens, good()), "the token names no key of its issuer")
        << "a token that was remembered outlives its key";
    EXPECT_EQ(name_of_caller(tokens, ec().sign(R"({"alg":"ES256","kid":"e"})", claims())),
              "token:shop/u1");
}

TEST_F(TokensTest, ForgetsATokenWithItsEndAndWithItsProvider) {
    write("keys.json", key_set({rsa().jwk()}));
    Tokens tokens(*callers_, clock_, metrics_);
    const std::string token = good({{"exp", at(10)}});
    EXPECT_EQ(name_of_caller(tokens, token), "token:shop/u1");
    clock_.advance(39s);
    EXPECT_EQ(name_of_caller(tokens, token), "token:shop/u1");
    clock_.advance(1s);
    EXPECT_EQ(name_of_caller(tokens, token), "the token is no longer valid, or has no end");
    const std::string longer = good({{"exp", at(1000)}});
    EXPECT_EQ(name_of_caller(tokens, longer), "token:shop/u1");
    file_.providers.clear();
    write("access.json", text_of(file_));
    callers_->run({});
    tokens.run({});
    EXPECT_FALSE(tokens.has_providers());
    EXPECT_EQ(name_of_caller(tokens, longer), "the issuer of the token is not known");
}

TEST_F(TokensTest, AreInTheAccessFile) {
    const auto read = read_access_file(text_of(file_));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, file_);
    file_.providers.push_back(file_.providers.front());
    const auto twice = read_access_file(text_of(file_));
    ASSERT_FALSE(twice.has_value());
    EXPECT_THAT(faults_of(twice.error()), HasSubstr("/providers/1/name is the name of another"));
    EXPECT_THAT(faults_of(twice.error()), HasSubstr("/providers/1/issuer is the issuer of"));
}

}  // namespace
}  // namespace trackops::access
