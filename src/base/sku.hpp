// The form of a SKU. SKUs are case-sensitive and compared bytewise.
#pragma once
#include <algorithm>
#include <cstddef>
#include <string_view>

namespace trackops {

inline constexpr std::size_t max_sku_bytes = 64;

// Whether the text may be the SKU of a stored item, an order or an event:
// [A-Za-z0-9][A-Za-z0-9 ._/:-]{0,63}. Items of version 0.1 may have blanks in a row or at the end.
constexpr bool is_sku(std::string_view text) {
    const auto letter_or_digit = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    };
    if (text.empty() || text.size() > max_sku_bytes || !letter_or_digit(text.front())) return false;
    return std::ranges::all_of(text, [&](char c) {
        return letter_or_digit(c) || std::string_view(" ._/:-").find(c) != std::string_view::npos;
    });
}

// Whether a client may give the text as a SKU: as is_sku(), and no blank at the end and no two in a
// row, because a person cannot see them.
constexpr bool is_plain_sku(std::string_view text) {
    return is_sku(text) && text.back() != ' ' && text.find("  ") == std::string_view::npos;
}
inline constexpr const char* plain_sku_form =
    "must start with a letter or digit and hold only those and ' ._/:-', without a blank at an end "
    "and without two blanks in a row; such as TSHIRT-RED-M";

}  // namespace trackops
