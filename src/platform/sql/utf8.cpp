#include "platform/sql/utf8.hpp"

#include <cstddef>
#include <cstdint>

namespace trackops::sql {
namespace {

struct Lead {
    std::uint8_t first, last;      // this range of first bytes
    std::size_t length;            // begins a character of so many bytes,
    std::uint8_t lowest, highest;  // whose second byte lies here
};
constexpr Lead leads[] = {
    {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf},
    {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf}, {0xf0, 0xf0, 4, 0x90, 0xbf},
    {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

// Bytes of the character at the front of text (not empty); 0 when there is none.
std::size_t character_length(std::string_view text) {
    const auto byte = [text](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
    for (const auto& lead : leads) {
        if (byte(0) < lead.first || byte(0) > lead.last) continue;
        if (text.size() < lead.length || byte(1) < lead.lowest || byte(1) > lead.highest) return 0;
        for (std::size_t i = 2; i < lead.length; ++i) {
            if ((byte(i) & 0xc0) != 0x80) return 0;
        }
        return lead.length;
    }
    return 0;
}

}  // namespace

bool is_utf8_without_nul(std::string_view text) {
    while (!text.empty()) {
        if (text[0] > 0) {
            text.remove_prefix(1);
            continue;
        }
        const auto length = character_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

}  // namespace trackops::sql
