#include "platform/http/body_pipe.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trackops::http {
namespace {

using ::testing::ElementsAre;

constexpr Duration at_once = Duration::zero();
constexpr Duration long_enough = std::chrono::seconds(20);

// Returns "number text" of each line, with "too long" in the place of a text that was dropped.
std::vector<std::string> read(BodyPipe& pipe, std::size_t lines_max = 100) {
    std::vector<std::string> seen;
    const auto lines = pipe.read(lines_max, long_enough);
    if (!lines) return {lines.error().detail};
    for (const BodyLine& line : *lines)
        seen.push_back(std::to_string(line.number) + ' ' +
                       (line.is_too_long ? "too long" : line.text));
    return seen;
}

TEST(BodyPipe, GivesTheLinesThatAreComplete) {
    BodyPipe pipe({}, [] {});
    pipe.put("a\nb\r\n\n  \nc");
    EXPECT_THAT(read(pipe), ElementsAre("1 a", "2 b\r"));
    EXPECT_EQ(pipe.read(1, at_once).error().code, Errc::timeout) << "the line has no end yet";
    pipe.put("d\ne");
    EXPECT_THAT(read(pipe), ElementsAre("5 cd"));
    pipe.finish();
    EXPECT_THAT(read(pipe), ElementsAre("6 e")) << "the last line needs no line break";
    EXPECT_THAT(read(pipe), ElementsAre());
    EXPECT_THAT(read(pipe), ElementsAre()) << "the end stays";
}

TEST(BodyPipe, GivesNoMoreLinesThanAreAskedFor) {
    BodyPipe pipe({}, [] {});
    pipe.put("a\nb\nc\n");
    pipe.finish();
    EXPECT_THAT(read(pipe, 2), ElementsAre("1 a", "2 b"));
    EXPECT_THAT(read(pipe, 2), ElementsAre("3 c"));
    EXPECT_THAT(read(pipe, 2), ElementsAre());
}

TEST(BodyPipe, DropsALineThatIsTooLongAndKeepsTheNext) {
    BodyPipe pipe({.line_bytes_max = 4}, [] {});
    pipe.put("abcd\nabcde\n");
    EXPECT_THAT(read(pipe), ElementsAre("1 abcd", "2 too long"));
    for (int piece = 0; piece < 10; ++piece) {
        pipe.put("xyz");
        EXPECT_FALSE(pipe.read(1, at_once).has_value());
    }
    pipe.put("z\nf\n");
    EXPECT_THAT(read(pipe), ElementsAre("3 too long", "4 f"));
    pipe.put("abcde");
    EXPECT_FALSE(pipe.read(1, at_once).has_value());
    pipe.finish();
    EXPECT_THAT(read(pipe), ElementsAre("5 too long"));
    EXPECT_THAT(read(pipe), ElementsAre());
}

TEST(BodyPipe, IsFullUntilItIsRead) {
    int rooms = 0;
    BodyPipe pipe({.bytes_max = 4}, [&rooms] { ++rooms; });
    pipe.put("a\n");
    EXPECT_FALSE(pipe.is_full());
    EXPECT_THAT(read(pipe), ElementsAre("1 a"));
    EXPECT_EQ(rooms, 0) << "nobody has waited for room";
    pipe.put("b\nc\n");
    EXPECT_TRUE(pipe.is_full());
    EXPECT_THAT(read(pipe), ElementsAre("2 b", "3 c"));
    EXPECT_FALSE(pipe.is_full());
    EXPECT_EQ(rooms, 1);
}

TEST(BodyPipe, EndsWithTheFirstErrorAtOnce) {
    BodyPipe pipe({}, [] {});
    pipe.put("a\n");
    pipe.fail({Errc::unavailable, "gone"});
    pipe.fail({Errc::malformed, "later"});
    pipe.put("b\n");
    EXPECT_THAT(read(pipe), ElementsAre("gone"));
    EXPECT_THAT(read(pipe), ElementsAre("gone"));
}

TEST(BodyPipe, WakesItsReader) {
    BodyPipe pipe({}, [] {});
    std::thread filling([&pipe] {
        pipe.put("a\n");
        pipe.finish();
    });
    EXPECT_THAT(read(pipe), ElementsAre("1 a"));
    EXPECT_THAT(read(pipe), ElementsAre());
    filling.join();
}

}  // namespace
}  // namespace trackops::http
