#include "platform/http/body_pipe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trackops::http {
namespace {

using ::testing::ElementsAre;

// Returns "number text" of each line, with "too long" in the place of a text that was dropped, and
// "end" after the last one.
std::vector<std::string> take(BodyPipe& pipe, std::size_t lines_max = 100) {
    std::vector<std::string> seen;
    const auto taken = pipe.take(lines_max);
    if (!taken) return {taken.error().detail};
    for (const BodyLine& line : taken->lines)
        seen.push_back(std::to_string(line.number) + ' ' +
                       (line.is_too_long ? "too long" : line.text));
    if (taken->is_over) seen.emplace_back("end");
    return seen;
}

TEST(BodyPipe, GivesTheLinesThatAreComplete) {
    BodyPipe pipe({}, [] {});
    pipe.put("a\nb\r\n\n  \nc");
    EXPECT_THAT(take(pipe), ElementsAre("1 a", "2 b\r"));
    EXPECT_THAT(take(pipe), ElementsAre()) << "the line has no end yet";
    pipe.put("d\ne");
    EXPECT_THAT(take(pipe), ElementsAre("5 cd"));
    pipe.finish();
    EXPECT_THAT(take(pipe), ElementsAre("6 e", "end")) << "the last line needs no line break";
    EXPECT_THAT(take(pipe), ElementsAre("end")) << "the end stays";
}

TEST(BodyPipe, GivesNoMoreLinesThanAreAskedFor) {
    BodyPipe pipe({}, [] {});
    pipe.put("a\nb\nc\n");
    pipe.finish();
    EXPECT_THAT(take(pipe, 2), ElementsAre("1 a", "2 b"));
    EXPECT_THAT(take(pipe, 2), ElementsAre("3 c"));
    EXPECT_THAT(take(pipe, 2), ElementsAre("end"));
}

TEST(BodyPipe, DropsALineThatIsTooLongAndKeepsTheNext) {
    BodyPipe pipe({.line_bytes_max = 4}, [] {});
    pipe.put("abcd\nabcde\n");
    EXPECT_THAT(take(pipe), ElementsAre("1 abcd", "2 too long"));
    for (int piece = 0; piece < 10; ++piece) {
        pipe.put("xyz");
        EXPECT_THAT(take(pipe), ElementsAre());
    }
    pipe.put("z\nf\n");
    EXPECT_THAT(take(pipe), ElementsAre("3 too long", "4 f"));
    pipe.put("abcde");
    EXPECT_THAT(take(pipe), ElementsAre());
    pipe.finish();
    EXPECT_THAT(take(pipe), ElementsAre("5 too long", "end"));
}

TEST(BodyPipe, IsFullUntilItIsRead) {
    int rooms = 0;
    BodyPipe pipe({.bytes_max = 4}, [&rooms] { ++rooms; });
    pipe.put("a\n");
    EXPECT_FALSE(pipe.is_full());
    EXPECT_THAT(take(pipe), ElementsAre("1 a"));
    EXPECT_EQ(rooms, 0) << "nobody has waited for room";
    pipe.put("b\nc\n");
    EXPECT_TRUE(pipe.is_full());
    EXPECT_THAT(take(pipe), ElementsAre("2 b", "3 c"));
    EXPECT_FALSE(pipe.is_full());
    EXPECT_EQ(rooms, 1);
}

TEST(BodyPipe, EndsWithTheFirstErrorAtOnce) {
    BodyPipe pipe({}, [] {});
    pipe.put("a\n");
    pipe.fail({Errc::unavailable, "gone"});
    pipe.fail({Errc::malformed, "later"});
    pipe.put("b\n");
    EXPECT_THAT(take(pipe), ElementsAre("gone"));
    EXPECT_THAT(take(pipe), ElementsAre("gone"));
}

TEST(BodyPipe, TellsOfLinesAndOfEnds) {
    int told = 0;
    const auto tell = [&told] { ++told; };
    BodyPipe pipe({.bytes_max = 8}, [] {}, tell);
    pipe.put("abc");
    EXPECT_EQ(told, 0) << "no line is complete";
    pipe.put("d\ne");
    EXPECT_EQ(told, 1);
    pipe.put("fg");
    EXPECT_EQ(told, 2) << "a full pipe must be emptied, whatever is in it";
    pipe.finish();
    EXPECT_EQ(told, 3);
    BodyPipe broken({}, [] {}, tell);
    broken.fail({Errc::unavailable, "gone"});
    EXPECT_EQ(told, 4);
    broken.fail({Errc::unavailable, "gone again"});
    EXPECT_EQ(told, 4);
}

}  // namespace
}  // namespace trackops::http
