#include "base/hex.hpp"

#include <gtest/gtest.h>

namespace trackops {
namespace {

TEST(Hex, WritesAndReadsEveryByte) {
    for (int value = 0; value < 256; ++value) {
        const std::array<std::uint8_t, 1> bytes{static_cast<std::uint8_t>(value)};
        std::array<std::uint8_t, 1> read{};
        EXPECT_TRUE(read_hex(hex(bytes), read));
        EXPECT_EQ(read, bytes);
    }
    EXPECT_EQ(hex(std::array<std::uint8_t, 3>{0x00, 0x9a, 0xff}), "009aff");
}

TEST(Hex, TakesDigitsInEitherCaseAndNothingElse) {
    int digits = 0;
    for (int c = 0; c < 256; ++c) {
        const auto character = static_cast<char>(c);
        const bool is_digit = hex_value(character) != no_hex;
        digits += is_digit ? 1 : 0;
        std::uint8_t byte = 0;
        const std::array first{character, '0'};
        const std::array second{'f', character};
        EXPECT_EQ(read_hex_byte(first.data(), byte), is_digit) << c;
        EXPECT_EQ(read_hex_byte(second.data(), byte), is_digit) << c;
    }
    EXPECT_EQ(digits, 22);
    std::array<std::uint8_t, 2> bytes{};
    EXPECT_TRUE(read_hex("aBCd", bytes));
    EXPECT_EQ(bytes, (std::array<std::uint8_t, 2>{0xab, 0xcd}));
    EXPECT_FALSE(read_hex("xBCd", bytes)) << "a good byte after a bad one mends nothing";
    EXPECT_FALSE(read_hex("aBC", bytes));
    EXPECT_FALSE(read_hex("aBCd0", bytes));
}

}  // namespace
}  // namespace trackops
