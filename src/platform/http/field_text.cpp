#include "platform/http/field_text.hpp"

namespace trackops::http {

std::string_view without_white_space(std::string_view text) {
    while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
    while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
    return text;
}

}  // namespace trackops::http
