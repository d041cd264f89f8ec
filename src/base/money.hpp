// Amounts of money: integer minor units with an ISO 4217 code, and arithmetic that detects
// overflow.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace trackops {

// The largest amount that any interface accepts, in minor units: 2^53 - 1, which a JSON number
// represents exactly.
inline constexpr std::int64_t max_amount_minor = 9'007'199'254'740'991;

// Return the result, or nothing when it exceeds max_amount_minor or overflows.
inline std::optional<std::int64_t> checked_add(std::int64_t a, std::int64_t b) {
    std::int64_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum) || sum > max_amount_minor) return std::nullopt;
    return sum;
}

inline std::optional<std::int64_t> checked_multiply(std::int64_t a, std::int64_t b) {
    std::int64_t product = 0;
    if (__builtin_mul_overflow(a, b, &product) || product > max_amount_minor) return std::nullopt;
    return product;
}

// Whether the text is the alphabetic ISO 4217 code of a currency that is in use or was in the year
// 1999 or later, so that old orders can be imported; not a fund or a metal. Upper case only.
bool is_currency(std::string_view code);

}  // namespace trackops
