// JSON Web Tokens (RFC 7519) of identity providers: whether one is valid, and what it says.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "platform/access/callers.hpp"
#include "platform/access/provider.hpp"
#include "platform/access/token_keys.hpp"
#include "platform/http/principal.hpp"

namespace trackops::access {

inline constexpr std::size_t token_bytes_max = std::size_t{8} * 1024;
// Clocks of two hosts may differ by this.
inline constexpr Duration token_leeway = std::chrono::seconds(30);

// The providers of an access file, each with the keys that were read last.
struct KnownProvider {
    Provider provider;
    std::shared_ptr<const KeySet> keys;  // null: none could be read yet
};

struct VerifiedToken {
    http::Principal principal;
    Instant ends_at;  // with the leeway
};

// Whether a Bearer token has the form of a JWT: three parts with dots between them.
bool looks_like_token(std::string_view text);

// Returns the name of the provider whose issuer a token claims, verified or not; "" for none.
std::string provider_of(std::string_view token, const std::vector<KnownProvider>& providers);

// Verifies a token, in this order: its form; its issuer is one of the providers'; its `kid` is one
// of that provider's keys; its algorithm is that of the key; its signature; its audience; its
// times, with token_leeway; its claims. The refusal names the first fault. Takes some tens of
// microseconds for the signature. Pure.
std::expected<VerifiedToken, Outcome> verify_token(std::string_view token,
                                                   const std::vector<KnownProvider>& providers,
                                                   Instant now);

}  // namespace trackops::access
