// The form of a SKU: [A-Za-z0-9][A-Za-z0-9 ._/:-]{0,63}. SKUs are case-sensitive and compared
// bytewise.
#pragma once
#include <algorithm>
#include <string_view>

namespace trackops {

inline constexpr std::size_t max_sku_bytes = 64;

constexpr bool is_sku(std::string_view text) {
    const auto letter_or_digit = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    };
    if (text.empty() || text.size() > max_sku_bytes || !letter_or_digit(text.front())) return false;
    return std::ranges::all_of(text, [&](char c) {
        return letter_or_digit(c) || std::string_view(" ._/:-").find(c) != std::string_view::npos;
    });
}

}  // namespace trackops
