// SHA-256, and the comparison of two digests that tells nothing by its time.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trackops::access {

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(std::string_view text);
std::optional<Digest> parse_digest(std::string_view text);  // 64 digits, as hex() makes them

// Compares all bytes, wherever the first difference is.
bool is_same(const Digest& a, const Digest& b);
// Returns the bytes that is_same() has compared on this thread, for tests: time cannot prove that
// none was left out.
std::size_t compared_bytes();

}  // namespace trackops::access
