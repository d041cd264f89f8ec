// The public keys of an identity provider, from a JSON Web Key Set (RFC 7517).
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct _cjose_jwk_int;  // NOLINT: libcjose names it

namespace trackops::access {

inline constexpr std::size_t key_set_bytes_max = std::size_t{64} * 1024;
inline constexpr std::size_t token_keys_max = 32;

enum class Algorithm : std::uint8_t {
    rs256,  // RSA of 2048 bits or more
    es256,  // the curve P-256
};
std::string_view name_of(Algorithm algorithm);

// A key fixes its algorithm: a token cannot choose another one.
struct TokenKey {
    struct Release {
        void operator()(_cjose_jwk_int* key) const;
    };
    Algorithm algorithm;
    std::unique_ptr<_cjose_jwk_int, Release> key;
};

// By `kid`. Immutable after it is made.
using KeySet = std::map<std::string, TokenKey, std::less<>>;

// Parses a key set. Keys that are not for signatures, have no `kid`, or are no RSA or P-256 key are
// left out, symmetric ones among them. Returns Errc::malformed, Errc::too_large, or Errc::invalid
// for two keys of one `kid`, too many keys, a key that is too weak or broken, or no key at all.
Result<KeySet> read_key_set(std::string_view text);

}  // namespace trackops::access
