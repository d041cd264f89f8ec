#include "platform/access/digest.hpp"

#include <sodium/crypto_hash_sha256.h>

namespace trackops::access {
namespace {

static_assert(Digest{}.size() == crypto_hash_sha256_BYTES);

thread_local std::size_t compared = 0;

constexpr std::string_view hex_digits = "0123456789abcdef";

}  // namespace

Digest sha256(std::string_view text) {
    Digest digest{};
    crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(text.data()),
                       text.size());
    return digest;
}

std::string hex(const Digest& digest) {
    std::string text;
    text.reserve(2 * digest.size());
    for (const std::uint8_t byte : digest) {
        text += hex_digits[byte >> 4U];
        text += hex_digits[byte & 15U];
    }
    return text;
}

std::optional<Digest> parse_digest(std::string_view hex) {
    Digest digest{};
    if (hex.size() != 2 * digest.size()) return std::nullopt;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const std::size_t high = hex_digits.find(hex[2 * i]);
        const std::size_t low = hex_digits.find(hex[2 * i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
        digest[i] = static_cast<std::uint8_t>(high << 4U | low);
    }
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
