// The measures of text in UTF-8: characters are Unicode code points, blanks are what Unicode calls
// White_Space.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace trackops {

// Returns the number of code points of valid UTF-8.
std::size_t characters_in(std::string_view text);

// Returns `text` without the blanks at its ends; "" for a text of blanks. A blank is any character
// with the Unicode property White_Space, such as a space, a tab, a line break, U+00A0 and U+3000.
std::string_view trimmed(std::string_view text);

// Returns the next code point of valid UTF-8 and removes it from `text`, which is not empty.
char32_t take_character(std::string_view& text);

// Appends a code point as UTF-8.
void append_character(std::string& out, char32_t character);

}  // namespace trackops
