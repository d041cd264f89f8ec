#include "platform/json/escape.hpp"

#include <string_view>

namespace trackops::json {

void append_escape(std::string& out, char16_t character) {
    constexpr std::string_view digits = "0123456789abcdef";
    switch (character) {
        case u'"':
            out += "\\\"";
            return;
        case u'\\':
            out += "\\\\";
            return;
        case u'\n':
            out += "\\n";
            return;
        case u'\r':
            out += "\\r";
            return;
        case u'\t':
            out += "\\t";
            return;
        default:
            out += "\\u";
            for (int shift = 12; shift >= 0; shift -= 4) out += digits[(character >> shift) & 15];
    }
}

}  // namespace trackops::json
