#include "base/text.hpp"

#include <algorithm>

namespace trackops {
namespace {

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

// Unicode 14.0, PropList.txt, White_Space.
bool is_blank(char32_t character) {
    return (character >= 0x09 && character <= 0x0D) || character == 0x20 || character == 0x85 ||
           character == 0xA0 || character == 0x1680 ||
           (character >= 0x2000 && character <= 0x200A) || character == 0x2028 ||
           character == 0x2029 || character == 0x202F || character == 0x205F || character == 0x3000;
}

}  // namespace

std::size_t characters_in(std::string_view text) {
    return text.size() - static_cast<std::size_t>(std::ranges::count_if(text, is_continuation));
}

char32_t take_character(std::string_view& text) {
    const auto lead = static_cast<unsigned char>(text.front());
    text.remove_prefix(1);
    if (lead < 0x80) return lead;
    char32_t character = lead >= 0xF0 ? lead & 0x07U : lead >= 0xE0 ? lead & 0x0FU : lead & 0x1FU;
    while (!text.empty() && is_continuation(text.front())) {
        character = character << 6 | (static_cast<unsigned char>(text.front()) & 0x3FU);
        text.remove_prefix(1);
    }
    return character;
}

void append_character(std::string& out, char32_t character) {
    const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
    if (character < 0x80) return put(character);
    if (character < 0x800) {
        put(0xC0U | character >> 6);
    } else if (character < 0x10000) {
        put(0xE0U | character >> 12);
        put(0x80U | (character >> 6 & 0x3FU));
    } else {
        put(0xF0U | character >> 18);
        put(0x80U | (character >> 12 & 0x3FU));
        put(0x80U | (character >> 6 & 0x3FU));
    }
    put(0x80U | (character & 0x3FU));
}

std::string_view trimmed(std::string_view text) {
    for (std::string_view rest = text; !rest.empty(); text = rest) {
        if (!is_blank(take_character(rest))) break;
    }
    while (!text.empty()) {
        std::size_t last = text.size() - 1;
        while (last > 0 && is_continuation(text[last])) --last;
        std::string_view character = text.substr(last);
        if (!is_blank(take_character(character))) break;
        text.remove_suffix(text.size() - last);
    }
    return text;
}

}  // namespace trackops
