// 128-bit identifiers (RFC 9562).
#pragma once
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/instant.hpp"

namespace trackops {

struct Uuid {
    std::array<std::uint8_t, 16> bytes{};

    auto operator<=>(const Uuid&) const = default;  // bytewise, as PostgreSQL orders uuid

    // Parses the 36-character form, in either case. Returns nothing for any other text.
    static std::optional<Uuid> parse(std::string_view text);
    void append_to(std::string& out) const;  // 36 characters, lower case
    std::string text() const;
};

// Returns a UUID of version 7: the milliseconds of `now`, then the lower 12 bits of `high` and the
// lower 62 bits of `low`. Pure.
Uuid uuid_v7(Instant now, std::uint64_t high, std::uint64_t low);

}  // namespace trackops

template <>
struct std::hash<trackops::Uuid> {
    std::size_t operator()(const trackops::Uuid& id) const noexcept {
        std::uint64_t low = 0;  // the random half
        std::memcpy(&low, id.bytes.data() + 8, 8);
        return low;
    }
};
