// The text of header fields.
#pragma once
#include <string_view>

namespace trackops::http {

// Returns the text without the optional white space at its ends: blanks and tabs (OWS of RFC 9110,
// 5.6.3).
std::string_view without_white_space(std::string_view text);

}  // namespace trackops::http
