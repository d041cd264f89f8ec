// The entries of a list in a setting.
#pragma once
#include <string_view>
#include <vector>

namespace trackops::http {

// Returns the entries between commas and blanks, in order; an empty entry is none. They refer to
// `list`.
std::vector<std::string_view> entries_of(std::string_view list);

}  // namespace trackops::http
