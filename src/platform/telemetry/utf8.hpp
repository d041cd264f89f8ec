// Finds what is not UTF-8 in text that came from outside, as the Unicode standard cuts it.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace trackops::telemetry {

struct Utf8Step {
    std::size_t bytes = 0;  // to go on by; 1 or more
    bool valid = false;     // false: these bytes stand for one U+FFFD
};

// The first character of text, or the longest start of one that is broken off. text is not empty.
Utf8Step first_character(std::string_view text);

// text, with U+FFFD in place of whatever is not UTF-8.
std::string valid_utf8(std::string_view text);

}  // namespace trackops::telemetry
