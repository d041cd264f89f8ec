#include "base/hex.hpp"

namespace trackops {

bool read_hex(std::string_view text, std::span<std::uint8_t> bytes) {
    if (text.size() != 2 * bytes.size()) return false;
    bool is_hex = true;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        is_hex = read_hex_byte(text.data() + 2 * i, bytes[i]) && is_hex;
    return is_hex;
}

void append_hex(std::string& out, std::span<const std::uint8_t> bytes) {
    const std::size_t start = out.size();
    out.resize(start + 2 * bytes.size());
    char* at = out.data() + start;
    for (const std::uint8_t byte : bytes) at = write_hex_byte(byte, at);
}

std::string hex(std::span<const std::uint8_t> bytes) {
    std::string text;
    append_hex(text, bytes);
    return text;
}

}  // namespace trackops
