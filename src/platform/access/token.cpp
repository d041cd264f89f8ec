#include "platform/access/token.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <cjose/jws.h>
#include <fmt/format.h>
#include <sodium/utils.h>

#include "platform/json/reader.hpp"

namespace trackops::access {
namespace {

using http::Scope;

constexpr std::size_t subject_bytes_max = 128;
constexpr std::size_t customer_bytes_max = 64;

bool is_base64url(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_';
}

std::optional<std::string> decoded(std::string_view text) {
    std::string bytes(text.size(), '\0');
    std::size_t size = 0;
    if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                          text.size(), nullptr, &size, nullptr,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return std::nullopt;
    bytes.resize(size);
    return bytes;
}

// Returns the JSON object of a part of a token. A repeated member is refused, so that no two
// readers of the token can differ.
std::optional<json::Document> object_of(std::string_view part) {
    const auto bytes = decoded(part);
    if (!bytes) return std::nullopt;
    auto document = json::Document::parse(*bytes);
    if (!document || document->root().kind() != json::Kind::object) return std::nullopt;
    return *std::move(document);
}

// A NumericDate: seconds since 1970, perhaps with a fraction.
std::optional<Instant> time_of(json::Value claims, std::string_view name) {
    const auto member = claims.find(name);
    const auto seconds = member ? member->number() : std::nullopt;
    if (!seconds || std::abs(*seconds) > 1e11) return std::nullopt;
    return Instant{static_cast<std::int64_t>(*seconds * 1e6)};
}

// Whether a claim, a text or a list of texts, has this text.
bool has_text(json::Value claims, std::string_view name, std::string_view wanted) {
    const auto member = claims.find(name);
    if (!member) return false;
    bool found = member->text() == wanted;
    if (member->kind() == json::Kind::array)
        member->each_element([&](std::size_t, json::Value one) { found |= one.text() == wanted; });
    return found;
}

http::Scopes scopes_of(json::Value claims, const Provider& provider) {
    http::Scopes scopes{};
    const auto add = [&](std::string_view name) {
        const auto scope = http::scope_named(name);
        if (scope && provider.scopes.contains(*scope)) scopes.add({*scope});
    };
    const auto claim = claims.find(provider.scope_claim);
    if (!claim) return scopes;
    if (claim->kind() == json::Kind::array)
        claim->each_element([&](std::size_t, json::Value one) { add(one.text().value_or("")); });
    for (std::string_view rest = claim->text().value_or(""); !rest.empty();) {
        const std::size_t end = std::min(rest.find(' '), rest.size());
        add(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return scopes;
}

bool is_printable(std::string_view text, std::size_t bytes_max) {
    return !text.empty() && text.size() <= bytes_max &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f && c != '"'; });
}

// Returns nothing if a claim that names the caller is missing or odd.
std::optional<http::Principal> principal_of(json::Value claims, const Provider& provider) {
    const std::string_view subject = claims.text_of("sub");
    if (!is_printable(subject, subject_bytes_max)) return std::nullopt;
    http::Scopes scopes = scopes_of(claims, provider);
    if (!scopes.contains(Scope::orders_own))
        return http::Principal{.name = fmt::format("token:{}/{}", provider.name, subject),
                               .scopes = scopes};
    // A caller with orders:own is a customer, and nothing more, whatever else the token claims.
    const std::string_view customer = claims.text_of(provider.customer_claim);
    if (!is_printable(customer, customer_bytes_max)) return std::nullopt;
    return http::Principal{.name = fmt::format("customer:{}", customer),
                           .scopes = {Scope::orders_own},
                           .customer_id = std::string(customer)};
}

struct ReleaseJws {
    void operator()(cjose_jws_t* jws) const { cjose_jws_release(jws); }
};

bool is_signed_with(std::string_view token, const TokenKey& key) {
    cjose_err error{};
    const std::unique_ptr<cjose_jws_t, ReleaseJws> jws(
        cjose_jws_import(token.data(), token.size(), &error));
    return jws && cjose_jws_verify(jws.get(), key.key.get(), &error);
}

std::optional<Outcome> fault_of_times(json::Value claims, Instant now) {
    const auto ends_at = time_of(claims, "exp");
    const auto begins_at = time_of(claims, "nbf");
    if (!ends_at || (claims.find("nbf") && !begins_at)) return Outcome::token_claims;
    if (now >= *ends_at + token_leeway) return Outcome::token_expired;
    if (begins_at && now + token_leeway < *begins_at) return Outcome::token_early;
    return std::nullopt;
}

}  // namespace

bool looks_like_token(std::string_view text) {
    return std::ranges::count(text, '.') == 2 && text.starts_with("eyJ");
}

std::string provider_of(std::string_view token, const std::vector<KnownProvider>& providers) {
    if (token.size() > token_bytes_max || !looks_like_token(token)) return {};
    const std::size_t first = token.find('.');
    const auto payload = object_of(token.substr(first + 1, token.find('.', first + 1) - first - 1));
    if (!payload) return {};
    const auto known = std::ranges::find_if(providers, [&](const KnownProvider& one) {
        return one.provider.issuer == payload->root().text_of("iss");
    });
    return known == providers.end() ? std::string() : known->provider.name;
}

std::expected<VerifiedToken, Outcome> verify_token(std::string_view token,
                                                   const std::vector<KnownProvider>& providers,
                                                   Instant now) {
    if (token.size() > token_bytes_max || !looks_like_token(token) ||
        !std::ranges::all_of(token, [](char c) { return c == '.' || is_base64url(c); }))
        return std::unexpected(Outcome::token_malformed);
    const std::size_t first = token.find('.');
    const std::size_t second = token.find('.', first + 1);
    const auto header = object_of(token.substr(0, first));
    const auto payload = object_of(token.substr(first + 1, second - first - 1));
    // `crit` names what a reader must understand, and this one understands nothing beyond RFC 7519.
    if (!header || !payload || header->root().find("crit"))
        return std::unexpected(Outcome::token_malformed);
    const json::Value claims = payload->root();
    const auto known = std::ranges::find_if(providers, [&](const KnownProvider& one) {
        return one.provider.issuer == claims.text_of("iss");
    });
    if (known == providers.end()) return std::unexpected(Outcome::token_issuer);
    if (!known->keys) return std::unexpected(Outcome::token_unasked);
    const auto key = known->keys->find(header->root().text_of("kid"));
    if (key == known->keys->end()) return std::unexpected(Outcome::token_key);
    if (header->root().text_of("alg") != name_of(key->second.algorithm))
        return std::unexpected(Outcome::token_algorithm);
    if (!is_signed_with(token, key->second)) return std::unexpected(Outcome::token_signature);
    if (!has_text(claims, "aud", known->provider.audience))
        return std::unexpected(Outcome::token_audience);
    if (const auto fault = fault_of_times(claims, now)) return std::unexpected(*fault);
    auto principal = principal_of(claims, known->provider);
    if (!principal) return std::unexpected(Outcome::token_claims);
    return VerifiedToken{*std::move(principal), *time_of(claims, "exp") + token_leeway};
}

}  // namespace trackops::access
