// What PostgreSQL takes as text, for the driver of a database that takes anything.
#pragma once
#include <string_view>

namespace trackops::sql {

// RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF; and no NUL.
bool is_utf8_without_nul(std::string_view text);

}  // namespace trackops::sql
