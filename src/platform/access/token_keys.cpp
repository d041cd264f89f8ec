#include "platform/access/token_keys.hpp"

#include <array>
#include <optional>
#include <utility>

#include <cjose/jwk.h>
#include <fmt/format.h>

#include "platform/json/reader.hpp"
#include "platform/json/writer.hpp"

namespace trackops::access {
namespace {

constexpr std::size_t rsa_bits_min = 2048;
constexpr std::size_t rsa_bits_max = 8192;  // a larger one takes long to verify with

struct AlgorithmRow {
    Algorithm algorithm;
    std::string_view name;
    std::string_view kty;
    std::array<std::string_view, 3> members;  // of the public key
};
constexpr auto algorithms = std::to_array<AlgorithmRow>({
    {Algorithm::rs256, "RS256", "RSA", {"n", "e", ""}},
    {Algorithm::es256, "ES256", "EC", {"crv", "x", "y"}},
});
static_assert([] {
    for (std::size_t i = 0; i < algorithms.size(); ++i) {
        if (static_cast<std::size_t>(algorithms[i].algorithm) != i) return false;
    }
    return algorithms.size() == static_cast<std::size_t>(Algorithm::es256) + 1;
}());

// Returns the row of a key that may verify signatures.
const AlgorithmRow* row_of(json::Value key) {
    for (const AlgorithmRow& row : algorithms) {
        if (key.text_of("kty") != row.kty || key.text_of("kid").empty()) continue;
        if (key.find("use") && key.text_of("use") != "sig") return nullptr;
        if (key.find("alg") && key.text_of("alg") != row.name) return nullptr;
        if (row.algorithm == Algorithm::es256 && key.text_of("crv") != "P-256") return nullptr;
        return &row;
    }
    return nullptr;
}

// Only the members of the public key reach libcjose.
Result<TokenKey> read_key(json::Value key, const AlgorithmRow& row) {
    std::string text;
    json::Writer out(text);
    out.begin_object().member("kty", row.kty);
    for (const std::string_view name : row.members) {
        if (!name.empty()) out.member(name, key.text_of(name));
    }
    out.end_object();
    cjose_err error{};
    TokenKey made{row.algorithm, {}};
    made.key.reset(cjose_jwk_import(text.data(), text.size(), &error));
    const auto bits = made.key ? cjose_jwk_get_keysize(made.key.get(), &error) : 0;
    if (!made.key ||
        (row.algorithm == Algorithm::rs256 && (bits < rsa_bits_min || bits > rsa_bits_max)))
        return fail(Errc::invalid,
                    fmt::format("the key '{}' is broken, or has not 2048 to 8192 bits",
                                key.text_of("kid")));
    return made;
}

}  // namespace

std::string_view name_of(Algorithm algorithm) {
    return algorithms.at(static_cast<std::size_t>(algorithm)).name;
}

void TokenKey::Release::operator()(_cjose_jwk_int* jwk) const { cjose_jwk_release(jwk); }

Result<KeySet> read_key_set(std::string_view text) {
    if (text.size() > key_set_bytes_max)
        return fail(Errc::too_large, fmt::format("has more than {} KiB", key_set_bytes_max / 1024));
    const json::Document document = TRY(json::Document::parse(text));
    const auto keys = document.root().find("keys");
    if (!keys || keys->kind() != json::Kind::array)
        return fail(Errc::invalid, "has no member keys with a list");
    if (keys->size() > token_keys_max)
        return fail(Errc::invalid, fmt::format("has more than {} keys", token_keys_max));
    KeySet set;
    std::optional<Error> fault;
    keys->each_element([&](std::size_t, json::Value key) {
        const AlgorithmRow* const row = row_of(key);
        if (!row || fault) return;
        auto made = read_key(key, *row);
        if (!made) {
            fault = made.error();
        } else if (!set.emplace(key.text_of("kid"), *std::move(made)).second) {
            fault = Error{Errc::invalid, "has two keys with one kid"};
        }
    });
    if (fault) return std::unexpected(*std::move(fault));
    if (set.empty()) return fail(Errc::invalid, "has no key for RS256 or ES256 with a kid");
    return set;
}

}  // namespace trackops::access
