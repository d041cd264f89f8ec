#include "platform/access/digest.hpp"

#include <sodium/crypto_hash_sha256.h>

#include "base/hex.hpp"

namespace trackops::access {
namespace {

static_assert(Digest{}.size() == crypto_hash_sha256_BYTES);

thread_local std::size_t compared = 0;

}  // namespace

Digest sha256(std::string_view text) {
    Digest digest{};
    crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(text.data()),
                       text.size());
    return digest;
}

std::optional<Digest> parse_digest(std::string_view text) {
    Digest digest{};
    // One form only, so that a digest that is a key of a store has one key.
    if (!read_hex(text, digest) || text != hex(digest)) return std::nullopt;
    return digest;
}

bool is_same(const Digest& a, const Digest& b) {
    // Volatile, so that no compiler ends the loop at the first difference.
    volatile std::uint8_t difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
        ++compared;
    }
    return difference == 0;
}

std::size_t compared_bytes() { return compared; }

}  // namespace trackops::access
