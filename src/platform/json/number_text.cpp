#include "platform/json/number_text.hpp"

#include <charconv>
#include <cstdint>

#include <fmt/format.h>

namespace trackops::json {
namespace {

// A number is 0.DIGITS times ten to the power `point`.
struct Parts {
    bool is_negative = false;
    std::string digits;  // of the whole part and of the fraction
    std::int64_t point = 0;
    bool has_exponent = false;
};

Parts parts_of(std::string_view number) {
    Parts parts;
    parts.is_negative = number.starts_with('-');
    if (parts.is_negative) number.remove_prefix(1);
    const std::size_t mark = std::min(number.find_first_of("eE"), number.size());
    std::string_view exponent = number.substr(std::min(mark + 1, number.size()));
    const std::string_view mantissa = number.substr(0, mark);
    parts.has_exponent = mark < number.size();
    const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
    parts.digits = mantissa.substr(0, point);
    parts.digits += mantissa.substr(std::min(point + 1, mantissa.size()));
    if (exponent.starts_with('+')) exponent.remove_prefix(1);
    // An exponent of more digits than fit belongs to a zero.
    std::from_chars(exponent.data(), exponent.data() + exponent.size(), parts.point);
    parts.point += static_cast<std::int64_t>(point);
    return parts;
}

bool is_zero(const Parts& parts) {
    return parts.digits.find_first_not_of('0') == std::string::npos;
}

}  // namespace

std::string without_exponent(std::string_view number) {
    Parts parts = parts_of(number);
    if (is_zero(parts)) {
        if (parts.has_exponent) return "0";
        return std::string(number.substr(parts.is_negative ? 1 : 0));
    }
    if (!parts.has_exponent) return std::string(number);
    if (parts.point < 1) {
        parts.digits.insert(0, static_cast<std::size_t>(1 - parts.point), '0');
        parts.point = 1;
    }
    const auto point = static_cast<std::size_t>(parts.point);
    if (parts.digits.size() < point) parts.digits.resize(point, '0');
    const std::string_view digits = parts.digits;
    const std::size_t first = std::min(digits.find_first_not_of('0'), point - 1);
    std::string out = parts.is_negative ? "-" : "";
    out += digits.substr(first, point - first);
    if (digits.size() > point) out.append(".").append(digits.substr(point));
    return out;
}

std::string canonical_number(std::string_view number) {
    const Parts parts = parts_of(number);
    if (is_zero(parts)) return "0";
    const std::size_t first = parts.digits.find_first_not_of('0');
    const std::size_t end = parts.digits.find_last_not_of('0') + 1;
    return fmt::format("{}{}e{}", parts.is_negative ? "-" : "",
                       std::string_view(parts.digits).substr(first, end - first),
                       parts.point - static_cast<std::int64_t>(end));
}

}  // namespace trackops::json
