#include "platform/sql/utf8.hpp"

#include <simdjson.h>

namespace trackops::sql {

bool is_utf8_without_nul(std::string_view text) {
    return !text.contains('\0') && simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace trackops::sql
