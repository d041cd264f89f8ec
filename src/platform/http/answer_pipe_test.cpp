#include "platform/http/answer_pipe.hpp"

#include <gtest/gtest.h>

namespace trackops::http {
namespace {

using End = AnswerPipe::End;
TEST(AnswerPipe, TellsOfItsFirstBytesAndOfItsEnd) {
    int told = 0;
    AnswerPipe pipe(10, [&told] { ++told; });
    EXPECT_TRUE(pipe.is_silent());
    EXPECT_TRUE(pipe.write("ab"));
    EXPECT_TRUE(pipe.write("cd"));
    EXPECT_EQ(told, 1);
    std::string out;
    EXPECT_EQ(pipe.take(out, 3), End::open);
    EXPECT_EQ(out, "abc");
    pipe.finish(End::closes);
    pipe.finish(End::whole);
    EXPECT_EQ(told, 2);
    EXPECT_EQ(pipe.take(out, 3), End::closes) << "the first end counts, after the last byte";
    EXPECT_EQ(out, "abcd");
}

TEST(AnswerPipe, HoldsTheWriterBack) {
    int rooms = 0;
    AnswerPipe pipe(4, [] {}, [&rooms] { ++rooms; });
    EXPECT_TRUE(pipe.try_write("abc"));
    EXPECT_TRUE(pipe.has_room());
    EXPECT_FALSE(pipe.try_write("de"));
    EXPECT_TRUE(pipe.write("de"));
    EXPECT_FALSE(pipe.has_room());
    EXPECT_FALSE(pipe.try_write(""));
    std::string out;
    (void)pipe.take(out, 1);
    EXPECT_FALSE(pipe.has_room());
    EXPECT_EQ(rooms, 0) << "four bytes are four too many";
    (void)pipe.take(out, 1);
    EXPECT_TRUE(pipe.has_room());
    EXPECT_EQ(rooms, 1);
    (void)pipe.take(out, 10);
    EXPECT_EQ(rooms, 1) << "nobody has waited for it";
    EXPECT_EQ(out, "abcde");
}

TEST(AnswerPipe, RefusesTheWriterWhenTheClientHasGone) {
    int rooms = 0;
    AnswerPipe pipe(4, [] {}, [&rooms] { ++rooms; });
    EXPECT_TRUE(pipe.try_write("abcd"));
    pipe.abandon();
    EXPECT_EQ(rooms, 1) << "so that the writer learns of it";
    EXPECT_TRUE(pipe.has_room());
    EXPECT_EQ(pipe.write("e").error().code, Errc::unavailable);
    EXPECT_FALSE(pipe.try_write(""));
    std::string out;
    (void)pipe.take(out, 10);
    EXPECT_EQ(out, "");
}

TEST(AnswerPipe, RefusesTheWriterAfterTheEnd) {
    AnswerPipe pipe(4, [] {});
    pipe.finish(End::closes);
    EXPECT_EQ(pipe.write("a").error().code, Errc::unavailable);
    EXPECT_FALSE(pipe.try_write("a"));
}

}  // namespace
}  // namespace trackops::http
