#include "platform/http/input_buffer.hpp"

#include <gtest/gtest.h>

namespace trackops::http {
namespace {

TEST(InputBuffer, KeepsTheOrderOfBytes) {
    InputBuffer buffer;
    EXPECT_TRUE(buffer.empty());
    buffer.append("abcdef");
    buffer.consume(2);
    buffer.append("gh");
    EXPECT_EQ(buffer.view(), "cdefgh");
    buffer.consume(5);
    EXPECT_EQ(buffer.view(), "h");
    EXPECT_FALSE(buffer.empty());
    buffer.consume(1);
    EXPECT_TRUE(buffer.empty());
    buffer.append("x");
    buffer.clear();
    EXPECT_TRUE(buffer.empty());
    EXPECT_EQ(buffer.view(), "");
}

// Pipelined requests are consumed one by one. Counts the bytes that move in memory.
TEST(InputBuffer, MovesEachByteOnceOnAverage) {
    constexpr std::size_t size = 64 * 1024;
    constexpr std::size_t piece = 18;
    InputBuffer buffer;
    buffer.append(std::string(size, 'x'));
    std::size_t moved = 0;
    while (buffer.view().size() >= piece) {
        const char* const expected = buffer.view().data() + piece;
        buffer.consume(piece);
        if (buffer.view().data() != expected) moved += buffer.view().size();
    }
    EXPECT_LE(moved, size);
}

}  // namespace
}  // namespace trackops::http
