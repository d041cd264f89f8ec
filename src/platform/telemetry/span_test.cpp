#include "platform/telemetry/span.hpp"

#include <gtest/gtest.h>

#include "base/hex.hpp"

namespace trackops::telemetry {
namespace {

constexpr std::string_view good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Traceparent, IsReadAndWrittenBack) {
    const auto span = parse_traceparent(good);
    ASSERT_TRUE(span);
    EXPECT_EQ(hex(span->trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
    EXPECT_EQ(hex(span->span_id), "00f067aa0ba902b7");
    EXPECT_EQ(span->flags, 1);
    std::string text = "what stood here before";
    write_traceparent(*span, text);
    EXPECT_EQ(text, good);
}

TEST(Traceparent, OfALaterVersionMayHaveMoreFields) {
    const std::string ids = "-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03";
    const auto span = parse_traceparent("01" + ids + "-more");
    ASSERT_TRUE(span);
    EXPECT_EQ(span->flags, 3);
    EXPECT_FALSE(parse_traceparent("01" + ids + "more"));
    EXPECT_FALSE(parse_traceparent("00" + ids + "-more"));
    EXPECT_FALSE(parse_traceparent("ff" + ids));
}

TEST(Traceparent, ThatIsMalformedNamesNoSpan) {
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string broken(good);
        broken[i] = 'G';
        EXPECT_FALSE(parse_traceparent(broken)) << broken;
        EXPECT_FALSE(parse_traceparent(good.substr(0, i))) << i;
    }
    EXPECT_FALSE(parse_traceparent("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"));
    EXPECT_FALSE(parse_traceparent("00-00000000000000000000000000000000-00f067aa0ba902b7-01"));
    EXPECT_FALSE(parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"));
}

TEST(Traceparent, IsSampledByItsLastBit) {
    for (const char c : std::string_view("0123456789abcdef")) {
        std::string text(good);
        text.back() = c;
        EXPECT_EQ(is_sampled(text), parse_traceparent(text)->is_sampled()) << text;
    }
    EXPECT_FALSE(is_sampled(""));
    EXPECT_FALSE(is_sampled("parent of one"));
    EXPECT_FALSE(is_sampled(good.substr(0, 54)));
}

}  // namespace
}  // namespace trackops::telemetry
