// Points in time: UTC, with microseconds as in PostgreSQL; RFC 3339 as text.
#pragma once
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trackops {

using Duration = std::chrono::microseconds;

struct Instant {
    std::int64_t micros = 0;  // since 1970-01-01T00:00:00Z

    auto operator<=>(const Instant&) const = default;
    friend Instant operator+(Instant at, Duration by) { return {at.micros + by.count()}; }
    friend Instant operator-(Instant at, Duration by) { return {at.micros - by.count()}; }
    friend Duration operator-(Instant a, Instant b) { return Duration(a.micros - b.micros); }

    // Parses an RFC 3339 time with any offset and up to nine fractional digits, truncated to six;
    // years 0001 to 9999 in UTC. Returns nothing for any other text, or for a leap second.
    static std::optional<Instant> parse(std::string_view text);
    // Returns 27 characters, such as "2026-11-22T23:57:00.123456Z". The order of texts is the order
    // of times.
    std::string text() const;
    void append_to(std::string& out) const;
};

}  // namespace trackops
