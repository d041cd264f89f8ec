// Database URLs where people may see them.
#pragma once
#include <string>
#include <string_view>

namespace trackops::sql {

// The URL with *** for each password in it, before the host or as a parameter. Also of one that
// cannot be read; it rather hides too much.
std::string without_password(std::string_view url);

}  // namespace trackops::sql
