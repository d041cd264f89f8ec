#include "platform/http/answer_pipe.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace trackops::http {
namespace {

using End = AnswerPipe::End;
constexpr Duration at_once = Duration::zero();
constexpr Duration long_enough = std::chrono::seconds(20);

TEST(AnswerPipe, TellsOfItsFirstBytesAndOfItsEnd) {
    int told = 0;
    AnswerPipe pipe(10, [&told] { ++told; });
    EXPECT_TRUE(pipe.is_silent());
    EXPECT_TRUE(pipe.write("ab", at_once));
    EXPECT_TRUE(pipe.write("cd", at_once));
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
    AnswerPipe pipe(4, [] {});
    EXPECT_TRUE(pipe.try_write("abcd"));
    EXPECT_FALSE(pipe.try_write("e"));
    EXPECT_EQ(pipe.write("e", at_once).error().code, Errc::timeout);
    std::string out;
    std::thread taking([&] {
        while (out.size() < 12) (void)pipe.take(out, 3);
    });
    EXPECT_TRUE(pipe.write("efghijkl", long_enough)) << "in pieces, as room comes";
    taking.join();
    EXPECT_EQ(out, "abcdefghijkl");
}

TEST(AnswerPipe, RefusesTheWriterWhenTheClientHasGone) {
    AnswerPipe pipe(4, [] {});
    EXPECT_TRUE(pipe.try_write("abcd"));
    std::thread leaving([&pipe] { pipe.abandon(); });
    EXPECT_EQ(pipe.write("e", long_enough).error().code, Errc::unavailable);
    leaving.join();
    EXPECT_FALSE(pipe.try_write(""));
    std::string out;
    (void)pipe.take(out, 10);
    EXPECT_EQ(out, "");
}

TEST(AnswerPipe, RefusesTheWriterAfterTheEnd) {
    AnswerPipe pipe(4, [] {});
    pipe.finish(End::closes);
    EXPECT_EQ(pipe.write("a", at_once).error().code, Errc::unavailable);
    EXPECT_FALSE(pipe.try_write("a"));
}

}  // namespace
}  // namespace trackops::http
