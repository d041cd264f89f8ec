#include "platform/http/idempotency_key.hpp"

#include <gtest/gtest.h>

#include "platform/http/route_for_tests.hpp"

namespace trackops::http {
namespace {

TEST(IdempotencyKeyHeader, TakesBareAndQuotedKeys) {
    EXPECT_EQ(read_idempotency_key(std::nullopt).value(), std::nullopt);
    EXPECT_EQ(read_idempotency_key("abc-1").value(), std::optional<std::string>("abc-1"));
    EXPECT_EQ(read_idempotency_key("\"abc-1\"").value(), std::optional<std::string>("abc-1"));
    EXPECT_EQ(read_idempotency_key(" \"a\\\"b\\\\c\"\t").value(),
              std::optional<std::string>("a\"b\\c"));
    EXPECT_EQ(read_idempotency_key(std::string(255, 'k')).value(),
              std::optional<std::string>(std::string(255, 'k')));
}

TEST(IdempotencyKeyHeader, RefusesEverythingElse) {
    for (const std::string& header :
         {std::string(), std::string("  "), std::string("\"\""), std::string("\"open"),
          std::string("\"a\"b"), std::string("\"a\\x\""), std::string("a b"),
          std::string("\"a b\""), std::string("a\x7f"), std::string("k\xc3\xa9"),
          std::string(1, '\0'), std::string(256, 'k')}) {
        const auto key = read_idempotency_key(header);
        ASSERT_FALSE(key) << header;
        EXPECT_EQ(key.error().code, Errc::invalid);
        EXPECT_EQ(key.error().fields.at(0).pointer, "Idempotency-Key");
    }
}

Request with_key(std::shared_ptr<const Principal> principal) {
    Request request{.method = "POST",
                    .path = "/api/orders",
                    .headers = {{"idempotency-key", "k"}},
                    .context = {.principal = std::move(principal)}};
    return request;
}

TEST(IdempotencyKeyScope, NamesTheCallerTheMethodAndThePath) {
    const auto reader = std::make_shared<const Principal>(Principal{.name = "key:shop"});
    EXPECT_EQ(read_idempotency_key(with_key(reader), idempotency_lifetime_default).value()->scope,
              "key:shop POST /api/orders");
    // Version 0.1 recorded such keys under this name.
    EXPECT_EQ(read_idempotency_key(with_key(local_principal()), idempotency_lifetime_default)
                  .value()
                  ->scope,
              "anonymous POST /api/orders");
    EXPECT_EQ(read_idempotency_key(with_key(nobody()), idempotency_lifetime_default).value()->scope,
              "nobody POST /api/orders");
}

TEST(IdempotencyKeyScope, IsAskedForByTheRow) {
    Route route = route_for_tests("POST", "/api/orders");
    const Request without{.method = "POST", .path = "/api/orders"};
    for (const auto idempotency : {Idempotency::none, Idempotency::optional}) {
        route.idempotency = idempotency;
        EXPECT_TRUE(check_key_is_given(route, without));
    }
    route.idempotency = Idempotency::required;
    EXPECT_TRUE(check_key_is_given(route, with_key(local_principal())));
    const auto refused = check_key_is_given(route, without);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::precondition_required);
    EXPECT_EQ(refused.error().fields.at(0).pointer, "Idempotency-Key");
    const auto optional = with_optional_keys({route});
    EXPECT_TRUE(check_key_is_given(optional.at(0), without));
}

TEST(Fingerprint, IsSha256InHex) {
    EXPECT_EQ(fingerprint("abc"),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(fingerprint(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Fingerprint, OfTheMeaningIsOneForAllFormsOfARequest) {
    const std::string body = R"({"a":100,"b":[true,"\u00e9"]})";
    for (const auto* same : {"{\"b\":[true,\"\u00e9\"],\"a\":100.0}",
                             " {\n\"a\": 1e2, \"b\": [true, \"\\u00e9\"]}\r\n",
                             "\xEF\xBB\xBF{\"a\":100,\"b\":[true,\"\u00e9\"]}"})
        EXPECT_EQ(fingerprint_of_meaning(same), fingerprint_of_meaning(body)) << same;
    for (const auto* other :
         {R"({"a":101,"b":[true,"\u00e9"]})", R"({"a":100,"b":["\u00e9",true]})",
          R"({"a":"100","b":[true,"\u00e9"]})", R"({"a":100,"b":[true,"\u00e9"],"c":null})"})
        EXPECT_NE(fingerprint_of_meaning(other), fingerprint_of_meaning(body)) << other;
    EXPECT_EQ(fingerprint_of_meaning(""), fingerprint_of_meaning(" { } "));
    EXPECT_NE(fingerprint_of_meaning("{"), fingerprint_of_meaning("["));
}

TEST(IdempotencyKeyHeader, ComesWithBothFingerprints) {
    Request request = with_key(local_principal());
    request.body = R"({ "a": 1.0 })";
    const auto key = read_idempotency_key(request, idempotency_lifetime_default).value();
    EXPECT_EQ(key->fingerprint, fingerprint_of_meaning(R"({"a":1})"));
    EXPECT_EQ(key->bytes_fingerprint, fingerprint(request.body));
    const auto line = read_line_key(request, "k", "{\"a\":1}\r").value();
    EXPECT_EQ(line.fingerprint, key->fingerprint);
    EXPECT_EQ(line.bytes_fingerprint, fingerprint(R"({"a":1})"));
}

}  // namespace
}  // namespace trackops::http
