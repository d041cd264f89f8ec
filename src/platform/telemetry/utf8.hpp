// Finds and replaces invalid UTF-8 in text from outside, as the Unicode standard recommends.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace trackops::telemetry {

struct Utf8Step {
    std::size_t bytes = 0;  // length of the step, at least 1
    bool valid = false;     // false: these bytes become one U+FFFD
};

// Returns the first character of `text`, or the longest truncated prefix of one. `text` must not be
// empty.
Utf8Step first_character(std::string_view text);

// Returns `text` with each invalid sequence replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

}  // namespace trackops::telemetry
