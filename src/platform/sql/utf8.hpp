// Texts that PostgreSQL accepts. SQLite accepts any bytes, so its driver checks them.
#pragma once
#include <string_view>

namespace trackops::sql {

// Whether `text` is UTF-8 (RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF)
// without NUL.
bool is_utf8_without_nul(std::string_view text);

}  // namespace trackops::sql
