#include "platform/config/kind.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <limits>
#include <ranges>
#include <system_error>

#include <fmt/format.h>

namespace trackops::config {
namespace {

struct Unit {
    std::string_view name;
    std::int64_t milliseconds;
};
constexpr auto units = std::to_array<Unit>(
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}});

bool has_bounds(const Setting& setting) {
    return setting.min != 0 || setting.max != std::numeric_limits<std::int64_t>::max();
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<bool> parse_flag(std::string_view text) {
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
    return std::nullopt;
}

std::optional<Duration> parse_duration(std::string_view text) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto count = parse_integer(text.substr(0, digits));
    if (!count) return std::nullopt;
    for (const Unit& unit : units) {
        if (text.substr(digits) != unit.name) continue;
        const std::int64_t micros = std::chrono::milliseconds(unit.milliseconds) / Duration(1);
        std::int64_t total = 0;
        if (__builtin_mul_overflow(*count, micros, &total)) return std::nullopt;
        return Duration(total);
    }
    return std::nullopt;
}

std::string duration_text(std::int64_t milliseconds) {
    for (const Unit& unit : std::views::reverse(units)) {
        if (milliseconds >= unit.milliseconds && milliseconds % unit.milliseconds == 0) {
            return fmt::format("{}{}", milliseconds / unit.milliseconds, unit.name);
        }
    }
    return fmt::format("{}ms", milliseconds);
}

std::string bounds_text(const Setting& setting) {
    const bool counts = setting.kind == Kind::integer || setting.kind == Kind::duration;
    if (!counts || !has_bounds(setting)) return {};
    const auto text = [&](std::int64_t bound) {
        return setting.kind == Kind::duration ? duration_text(bound) : std::to_string(bound);
    };
    if (setting.max == std::numeric_limits<std::int64_t>::max())
        return fmt::format("at least {}", text(setting.min));
    return fmt::format("{} to {}", text(setting.min), text(setting.max));
}

std::optional<std::string> invalid_reason(const Setting& setting, std::string_view value) {
    const std::string shown = setting.secret ? "the value given" : fmt::format("\"{}\"", value);
    std::optional<std::int64_t> number;
    switch (setting.kind) {
        case Kind::text:
            return std::nullopt;
        case Kind::flag:
            if (parse_flag(value)) return std::nullopt;
            return fmt::format("{} is neither true nor false", shown);
        case Kind::integer:
            number = parse_integer(value);
            if (!number) return fmt::format("{} is not a whole number", shown);
            break;
        case Kind::duration:
            if (const auto time = parse_duration(value))
                number = std::chrono::duration_cast<std::chrono::milliseconds>(*time).count();
            if (!number)
                return fmt::format("{} is not a duration such as 250ms, 30s, 15m, 24h or 7d",
                                   shown);
            break;
    }
    if (*number >= setting.min && *number <= setting.max) return std::nullopt;
    const std::string bounds = bounds_text(setting);
    return fmt::format("{} is out of bounds: {}", shown, bounds.empty() ? "at least 0" : bounds);
}

bool is_of_opentelemetry(std::string_view setting_name) {
    return setting_name.starts_with("otel-");
}

std::string environment_name(std::string_view setting_name) {
    std::string name = is_of_opentelemetry(setting_name) ? "" : "TRACKOPS_";
    for (const char c : setting_name)
        name += c == '-' ? '_' : (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c;
    return name;
}

}  // namespace trackops::config
