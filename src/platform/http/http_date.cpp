#include "platform/http/http_date.hpp"

#include <array>
#include <chrono>

#include <fmt/format.h>

namespace trackops::http {

std::string_view HttpDate::at(Instant now) {
    constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::chrono::sys_time<std::chrono::microseconds> at{
        std::chrono::microseconds(now.micros)};
    const auto second = std::chrono::floor<std::chrono::seconds>(at);
    if (second.time_since_epoch().count() == second_) return text_;
    second_ = second.time_since_epoch().count();
    const auto midnight = std::chrono::floor<std::chrono::days>(second);
    const std::chrono::year_month_day date{midnight};
    const std::chrono::hh_mm_ss time{second - midnight};
    text_ = fmt::format(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        days.at(std::chrono::weekday(midnight).c_encoding()), static_cast<unsigned>(date.day()),
        months.at(static_cast<unsigned>(date.month()) - 1), static_cast<int>(date.year()),
        time.hours().count(), time.minutes().count(), time.seconds().count());
    return text_;
}

}  // namespace trackops::http
