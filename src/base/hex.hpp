// Bytes as hexadecimal digits, two for each byte.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace trackops {

// hex_value() returns it for a character that is no digit. Both digits of a byte are checked at
// once by an "or": no_hex has bits that no digit has.
inline constexpr std::uint8_t no_hex = 0xf0;

// Tables, because identifiers, traces and addresses are read and written with every request.
namespace hex_tables {
inline constexpr std::array<std::uint8_t, 256> values = [] {
    std::array<std::uint8_t, 256> table{};
    table.fill(no_hex);
    for (std::uint8_t i = 0; i < 10; ++i) table['0' + i] = i;
    for (std::uint8_t i = 0; i < 6; ++i) table['a' + i] = table['A' + i] = 10 + i;
    return table;
}();
inline constexpr std::array<std::array<char, 2>, 256> digits = [] {
    constexpr std::string_view names = "0123456789abcdef";
    std::array<std::array<char, 2>, 256> table{};
    for (std::size_t i = 0; i < 256; ++i) table[i] = {names[i >> 4], names[i & 15]};
    return table;
}();
}  // namespace hex_tables

// Returns 0 to 15 for a digit in either case, or no_hex.
constexpr std::uint8_t hex_value(char c) {
    return hex_tables::values[static_cast<unsigned char>(c)];
}

// Reads two digits in either case to `byte`; returns whether they were digits.
constexpr bool read_hex_byte(const char* text, std::uint8_t& byte) {
    const std::uint8_t high = hex_value(text[0]);
    const std::uint8_t low = hex_value(text[1]);
    byte = static_cast<std::uint8_t>(high << 4 | low);
    return ((high | low) & no_hex) == 0;
}

// Writes two lower-case digits and returns the place after them.
constexpr char* write_hex_byte(std::uint8_t byte, char* out) {
    *out++ = hex_tables::digits[byte][0];
    *out++ = hex_tables::digits[byte][1];
    return out;
}

// Reads two digits in either case for each of `bytes`; returns whether `text` is just that.
bool read_hex(std::string_view text, std::span<std::uint8_t> bytes);
// Appends two lower-case digits for each byte.
void append_hex(std::string& out, std::span<const std::uint8_t> bytes);
std::string hex(std::span<const std::uint8_t> bytes);

}  // namespace trackops
