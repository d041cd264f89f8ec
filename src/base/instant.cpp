#include "base/instant.hpp"

#include <array>

namespace trackops {
namespace {

// The first second of year 0001 and the last of year 9999, in UTC. A time with an offset may lie
// outside of them; text() has no room for such a year.
constexpr std::int64_t first_second = -62'135'596'800;
constexpr std::int64_t last_second = 253'402'300'799;

// Reads exactly `count` digits at `at` and moves `at` behind them.
std::optional<int> digits(std::string_view text, std::size_t& at, int count) {
    int value = 0;
    for (int i = 0; i < count; ++i, ++at) {
        if (at >= text.size() || text[at] < '0' || text[at] > '9') return std::nullopt;
        value = value * 10 + (text[at] - '0');
    }
    return value;
}

bool skip(std::string_view text, std::size_t& at, std::string_view any_of) {
    if (at >= text.size() || any_of.find(text[at]) == std::string_view::npos) return false;
    ++at;
    return true;
}

// Reads up to nine digits after the point and truncates them to microseconds.
std::optional<std::int64_t> fraction(std::string_view text, std::size_t& at) {
    if (!skip(text, at, ".")) return 0;
    std::int64_t micros = 0;
    int count = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++count) {
        if (count < 6) micros = micros * 10 + (text[at] - '0');
    }
    if (count == 0 || count > 9) return std::nullopt;
    for (; count < 6; ++count) micros *= 10;
    return micros;
}

std::optional<std::int64_t> offset_seconds(std::string_view text, std::size_t& at) {
    if (skip(text, at, "Zz")) return 0;
    if (at >= text.size()) return std::nullopt;
    const char sign = text[at];
    if (!skip(text, at, "+-")) return std::nullopt;
    const auto hours = digits(text, at, 2);
    if (!hours || !skip(text, at, ":")) return std::nullopt;
    const auto minutes = digits(text, at, 2);
    if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    const std::int64_t seconds = *hours * 3600 + *minutes * 60;
    return sign == '-' ? -seconds : seconds;
}

}  // namespace

std::optional<Instant> Instant::parse(std::string_view text) {
    std::size_t at = 0;
    const auto year = digits(text, at, 4);
    if (!year || !skip(text, at, "-")) return std::nullopt;
    const auto month = digits(text, at, 2);
    if (!month || !skip(text, at, "-")) return std::nullopt;
    const auto day = digits(text, at, 2);
    if (!day || !skip(text, at, "Tt ")) return std::nullopt;
    const auto hour = digits(text, at, 2);
    if (!hour || !skip(text, at, ":")) return std::nullopt;
    const auto minute = digits(text, at, 2);
    if (!minute || !skip(text, at, ":")) return std::nullopt;
    const auto second = digits(text, at, 2);
    if (!second || *hour > 23 || *minute > 59 || *second > 59 || *year == 0) return std::nullopt;
    const auto micros = fraction(text, at);
    if (!micros) return std::nullopt;
    const auto offset = offset_seconds(text, at);
    if (!offset || at != text.size()) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*year),
                                           std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
    const std::int64_t seconds = days * 86400 + *hour * 3600 + *minute * 60 + *second - *offset;
    if (seconds < first_second || seconds > last_second) return std::nullopt;
    return Instant{seconds * 1'000'000 + *micros};
}

void Instant::append_to(std::string& out) const {
    const std::chrono::sys_time<std::chrono::microseconds> at{std::chrono::microseconds(micros)};
    const auto midnight = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date{midnight};
    std::int64_t rest = (at - midnight).count();
    std::array<char, 27> text{};
    const auto put = [&text](std::size_t from, std::size_t count, std::int64_t value) {
        for (std::size_t i = from + count; i-- > from; value /= 10)
            text[i] = static_cast<char>('0' + value % 10);
    };
    put(20, 6, rest % 1'000'000);
    rest /= 1'000'000;
    put(17, 2, rest % 60);
    put(14, 2, rest / 60 % 60);
    put(11, 2, rest / 3600);
    put(8, 2, static_cast<unsigned>(date.day()));
    put(5, 2, static_cast<unsigned>(date.month()));
    put(0, 4, static_cast<int>(date.year()));
    text[4] = text[7] = '-';
    text[10] = 'T';
    text[13] = text[16] = ':';
    text[19] = '.';
    text[26] = 'Z';
    out.append(text.data(), text.size());
}

std::string Instant::text() const {
    std::string out;
    append_to(out);
    return out;
}

}  // namespace trackops
