// The escape sequences of JSON strings (RFC 8259, section 7).
#pragma once
#include <string>

namespace trackops::json {

// Appends the escape sequence of one character of the Basic Multilingual Plane: the short form if
// JSON has one (\" \\ \n \r \t), otherwise \u and four hex digits.
void append_escape(std::string& out, char16_t character);

}  // namespace trackops::json
