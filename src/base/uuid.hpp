// 128-bit identifiers, RFC 9562.
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

    // Takes the 36-character form only, either case; nothing otherwise.
    static std::optional<Uuid> parse(std::string_view text);
    void append_to(std::string& out) const;  // 36 characters, lower case
    std::string text() const;
};

// Version 7: milliseconds of `now`, then 74 bits from `high` (12 used) and `low` (62 used). Pure.
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
