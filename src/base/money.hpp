// Money is integer minor units plus an ISO 4217 code. Arithmetic that would overflow says so.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace trackops {

// The largest amount we take anywhere, in minor units: fits a JSON number exactly (2^53 - 1).
inline constexpr std::int64_t max_amount_minor = 9'007'199'254'740'991;

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

// Whether ISO 4217 lists the alphabetic code for money in use (funds and metals excluded). Upper
// case only.
bool is_currency(std::string_view code);
// Whether ISO 3166-1 lists the alpha-2 code. Upper case only.
bool is_country(std::string_view code);

}  // namespace trackops
