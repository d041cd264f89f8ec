#include "base/lenient_instant.hpp"

#include <string>

namespace trackops {

std::optional<Instant> parse_leniently(std::string_view text) {
    constexpr std::size_t date_bytes = 10;
    constexpr std::size_t offset_bytes = 6;
    constexpr std::size_t second_at = 17;  // in 2016-12-31T23:59:60Z
    std::string time(text);
    if (time.size() == date_bytes) time += "T00:00:00Z";
    if (time.size() > date_bytes + offset_bytes && time[time.size() - offset_bytes] == ' ')
        time[time.size() - offset_bytes] = '+';
    const bool is_leap_second =
        time.size() > second_at + 2 && std::string_view(time).substr(second_at, 2) == "60";
    if (!is_leap_second) return Instant::parse(time);
    time.replace(second_at, 2, "59");
    const auto before = Instant::parse(time);
    if (!before || before->text().substr(11, 8) != "23:59:59") return std::nullopt;
    return Instant::parse((*before + std::chrono::seconds(1)).text());
}

}  // namespace trackops
