// Streamed bodies and answers on one connection, without a socket.
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/http/conversation_fixture.hpp"

namespace trackops::http {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using End = AnswerPipe::End;

Route stream_route(std::string_view method, std::string_view pattern, Body body, Answer answer) {
    const Work work = body == Body::ndjson_stream ? Work::bulk : Work::memory;
    Route route = route_for_tests(method, pattern, {}, work);
    route.body = body;
    route.answer = answer;
    return route;
}

// Holds each request; the test plays the handler.
class StreamHost final : public Conversation::Host {
public:
    void handle(const Route&, Request, Conversation::Place place) override {
        places.push_back(place);
    }
    std::shared_ptr<BodyPipe> handle_stream(const Route&, Request request,
                                            Conversation::Place place) override {
        EXPECT_EQ(request.method, "POST");
        places.push_back(place);
        body = std::make_shared<BodyPipe>(BodyPipeLimits{.bytes_max = 8}, [] {});
        return body;
    }
    std::shared_ptr<const Principal> identify(const Request&) override { return local_principal(); }
    Uuid fresh_id() override { return ids.next(); }
    std::string_view date() override { return "Tue, 14 Nov 2023 22:13:20 GMT"; }
    void reached(Limit limit) override { limits.push_back(limit); }
    void observe(const Conversation::Access& access) override { seen.push_back(access.status); }

    trackops::testing::SeededIds ids;
    std::vector<Conversation::Place> places;
    std::shared_ptr<BodyPipe> body;
    std::vector<Limit> limits;
    std::vector<int> seen;
};

class ConversationStreams : public ::testing::Test {
protected:
    static constexpr Conversation::Time start{std::chrono::hours(1)};
    static constexpr std::string_view head =
        "POST /lines HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n";
    static constexpr std::string_view chunked = "Transfer-Encoding: chunked\r\n\r\n";

    void receive(std::string_view bytes, Conversation::Time now = start) {
        conversation_.receive(bytes, now);
        send(now);
    }
    void send(Conversation::Time now = start) {
        for (std::size_t before = std::string::npos; before != out_.size();) {
            before = out_.size();
            conversation_.take_output(out_, now);
            conversation_.sent(now);
        }
    }
    std::string taken() { return std::exchange(out_, {}); }
    // The lines that the handler can read now.
    std::vector<std::string> lines() {
        std::vector<std::string> texts;
        const auto taken = host_.body->take(100);
        if (!taken) return {std::string(taken.error().detail)};
        for (const BodyLine& line : taken->lines) texts.push_back(line.text);
        return texts;
    }
    std::shared_ptr<AnswerPipe> begin(std::size_t request = 0, std::size_t bytes_max = 1000) {
        auto pipe = std::make_shared<AnswerPipe>(bytes_max, [] {});
        conversation_.answer(host_.places.at(request).number, {.content_type = "text/x"}, pipe);
        return pipe;
    }

    StreamHost host_;
    const Router router_{
        {stream_route("POST", "/lines", Body::ndjson_stream, Answer::ndjson_stream),
         stream_route("GET", "/events", Body::none, Answer::event_stream),
         stream_route("GET", "/plain", Body::none, Answer::json)}};
    ServerOptions options_{.body_bytes_max = 16,
                           .read_timeout = std::chrono::seconds(10),
                           .edge = {.pipelined_max = 2, .upload_bytes_per_second_min = 2}};
    Conversation conversation_{host_, router_, options_, 7, start};
    std::string out_;
};

TEST_F(ConversationStreams, HandOverTheRequestBeforeItsBody) {
    receive(std::string(head) + "Content-Length: 9\r\n\r\n");
    ASSERT_EQ(host_.places.size(), 1u);
    receive("a\nb");
    EXPECT_THAT(lines(), ElementsAre("a"));
    receive("c\nefgh");
    EXPECT_THAT(lines(), ElementsAre("bc"));
    EXPECT_THAT(lines(), ElementsAre("efgh"));
    const auto answer = begin();
    EXPECT_TRUE(answer->write("done"));
    answer->finish(End::whole);
    send();
    EXPECT_THAT(taken(), HasSubstr("\r\n\r\n4\r\ndone\r\n0\r\n\r\n"));
    EXPECT_TRUE(conversation_.wants_input()) << "the connection stays";
    EXPECT_THAT(host_.seen, ElementsAre(200));
    receive("GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(host_.places.size(), 2u);
}

TEST_F(ConversationStreams, TakeABodyOfAnySizeAndStopReadingWhileItIsNotRead) {
    receive(std::string(head) + std::string(chunked));
    for (int piece = 0; piece < 100; ++piece) {
        ASSERT_TRUE(conversation_.wants_input());
        receive("8\r\n1234567\n\r\n");
        ASSERT_FALSE(conversation_.wants_input()) << "eight bytes are not read";
        ASSERT_THAT(lines(), ElementsAre("1234567"));
        conversation_.resume(start);
    }
    receive("0\r\n\r\n");
    EXPECT_THAT(lines(), ElementsAre());
}

// Bytes that were received while the pipe was full follow when it has room.
TEST_F(ConversationStreams, GoOnWithWhatWasReceivedBehindAFullPipe) {
    options_.edge.pipelined_max = 1;
    receive(std::string(head) + std::string(chunked) +
            "8\r\n1234567\n\r\n0\r\n\r\nGET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_THAT(lines(), ElementsAre("1234567"));
    conversation_.resume(start);
    EXPECT_THAT(lines(), ElementsAre());
    EXPECT_EQ(host_.places.size(), 1u) << "the next request waits for this answer";
    begin()->finish(End::whole);
    send();
    EXPECT_EQ(host_.places.size(), 2u);
}

TEST_F(ConversationStreams, SendTheHeadWithTheFirstPiece) {
    receive(std::string(head) + std::string(chunked) + "2\r\na\n\r\n");
    const auto answer = begin();
    send();
    EXPECT_EQ(taken(), "");
    EXPECT_TRUE(answer->write("one"));
    send();
    const std::string first = taken();
    EXPECT_THAT(first, HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
    EXPECT_THAT(first, Not(HasSubstr("Content-Length")));
    EXPECT_THAT(first, EndsWith("\r\n\r\n3\r\none\r\n"));
    EXPECT_TRUE(answer->write("sixteen bytes .."));
    send();
    EXPECT_EQ(taken(), "10\r\nsixteen bytes ..\r\n") << "while the body goes on";
    receive("2\r\nb\n\r\n0\r\n\r\n");
    EXPECT_THAT(lines(), ElementsAre("a", "b"));
    answer->finish(End::whole);
    send();
    EXPECT_EQ(taken(), "0\r\n\r\n");
}

TEST_F(ConversationStreams, EndTheConnectionWithAnAnswerThatDoesNotWaitForTheBody) {
    receive(std::string(head) + std::string(chunked) + "2\r\na\n\r\n");
    const auto answer = begin();
    EXPECT_TRUE(answer->write("stop"));
    answer->finish(End::whole);
    send();
    EXPECT_THAT(taken(), EndsWith("4\r\nstop\r\n0\r\n\r\n"));
    EXPECT_TRUE(conversation_.is_finished());
}

TEST_F(ConversationStreams, EndTheConnectionWithARefusalBeforeTheBody) {
    receive(std::string(head) + std::string(chunked) + "2\r\na\n\r\n");
    conversation_.answer(host_.places.at(0).number, {.status = 422, .body = "{}"});
    send();
    EXPECT_THAT(taken(), AllOf(HasSubstr("422"), HasSubstr("Connection: close"), EndsWith("{}")));
    EXPECT_TRUE(conversation_.is_finished());
}

TEST_F(ConversationStreams, RefuseTheWrongTypeWithoutWaitingForABodyOfAnySize) {
    receive("POST /lines HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/x\r\n" +
            std::string(chunked));
    EXPECT_THAT(taken(), AllOf(HasSubstr(" 415 "), HasSubstr("Connection: close")));
    EXPECT_TRUE(conversation_.is_finished());
}

TEST_F(ConversationStreams, AskForTheBodyOfAClientThatWaits) {
    receive(std::string(head) + "Expect: 100-continue\r\n" + std::string(chunked));
    EXPECT_EQ(taken(), "HTTP/1.1 100 Continue\r\n\r\n");
}

TEST_F(ConversationStreams, AnswerAClientOfHttp10UntilTheConnectionCloses) {
    receive(
        "GET /events HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
        "GET /plain HTTP/1.0\r\n\r\n");
    const auto answer = begin();
    EXPECT_TRUE(answer->write("one"));
    answer->finish(End::whole);
    send();
    const std::string text = taken();
    EXPECT_THAT(text, AllOf(HasSubstr("Connection: close"), EndsWith("\r\n\r\none")));
    EXPECT_THAT(text, Not(HasSubstr("chunked")));
    EXPECT_TRUE(conversation_.is_finished());
    conversation_.answer(host_.places.at(1).number, {.body = "too late"});
    send();
    EXPECT_EQ(taken(), "");
}

TEST_F(ConversationStreams, AnswerHeadWithoutABody) {
    receive("HEAD /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto answer = begin();
    EXPECT_TRUE(answer->write("one"));
    send();
    EXPECT_THAT(taken(), EndsWith("\r\n\r\n"));
    EXPECT_FALSE(answer->try_write("two")) << "nobody reads it";
    EXPECT_TRUE(conversation_.wants_input());
}

TEST_F(ConversationStreams, ShowThatAnAnswerHasBrokenOff) {
    receive(std::string(head) + std::string(chunked) + "2\r\na\n\r\n");
    const auto answer = begin();
    EXPECT_TRUE(answer->write("one"));
    answer->finish(End::broken);
    send();
    EXPECT_THAT(taken(), EndsWith("3\r\none\r\n")) << "without a last chunk";
    EXPECT_TRUE(conversation_.is_finished());
}

TEST_F(ConversationStreams, CloseAfterAnAnswerThatSaysSo) {
    receive(std::string(head) + "Content-Length: 2\r\n\r\na\n");
    const auto answer = begin();
    EXPECT_TRUE(answer->write("error"));
    answer->finish(End::closes);
    send();
    EXPECT_THAT(taken(), EndsWith("5\r\nerror\r\n0\r\n\r\n"));
    EXPECT_TRUE(conversation_.is_finished());
}

TEST_F(ConversationStreams, EndBothWhenTheClientHasGone) {
    receive(std::string(head) + std::string(chunked) + "2\r\na\n\r\n");
    const auto answer = begin();
    conversation_.abandon();
    EXPECT_THAT(lines(), ElementsAre("the client has gone"));
    EXPECT_EQ(answer->write("one").error().code, Errc::unavailable);
    const auto late = begin();
    EXPECT_TRUE(late->is_silent());
}

TEST_F(ConversationStreams, TellTheHandlerOfABodyThatBreaksOff) {
    receive(std::string(head) + std::string(chunked) + "2\r\na\n\r\n");
    const auto answer = begin();
    conversation_.end_input();
    EXPECT_THAT(lines(), ElementsAre("the body ended before it was whole"));
    EXPECT_TRUE(answer->write("so"));
    answer->finish(End::closes);
    send();
    EXPECT_THAT(taken(), EndsWith("2\r\nso\r\n0\r\n\r\n")) << "the client may still read";
    EXPECT_TRUE(conversation_.is_finished());
}

TEST_F(ConversationStreams, TellTheHandlerOfABodyThatIsNotHttp) {
    receive(std::string(head) + std::string(chunked) + "2\r\na\n\r\nzz\r\n");
    EXPECT_THAT(lines(), ElementsAre(HasSubstr("is not HTTP/1.1")));
    EXPECT_FALSE(conversation_.wants_input());
}

TEST_F(ConversationStreams, EndABodyThatArrivesTooSlowly) {
    receive(std::string(head) + std::string(chunked));
    auto now = start;
    for (int round = 0; round < 5; ++round) {  // 25 bytes in each ten seconds are enough
        now += std::chrono::seconds(10);
        receive("14\r\n123456789012345678\n\n\r\n", now);
        EXPECT_FALSE(conversation_.has_expired(now));
        (void)lines();
        conversation_.resume(now);
        ASSERT_TRUE(conversation_.wants_input()) << round;
    }
    now += std::chrono::seconds(9);
    receive("2\r\na\n\r\n", now);
    EXPECT_FALSE(conversation_.has_expired(now));
    EXPECT_TRUE(conversation_.wants_input());
    EXPECT_FALSE(conversation_.has_expired(now + std::chrono::seconds(11)));
    EXPECT_FALSE(conversation_.wants_input());
    EXPECT_THAT(lines(), ElementsAre("the body arrives too slowly"));
    EXPECT_THAT(host_.limits, ElementsAre(Limit::read_time));
}

// A client that waits for us is not slow.
TEST_F(ConversationStreams, DoNotCountTheTimeInWhichTheHandlerDoesNotRead) {
    receive(std::string(head) + std::string(chunked) + "8\r\n1234567\n\r\n");
    EXPECT_FALSE(conversation_.has_expired(start + std::chrono::hours(1)));
    EXPECT_THAT(lines(), ElementsAre("1234567"));
    EXPECT_TRUE(conversation_.wants_input());
    EXPECT_FALSE(
        conversation_.has_expired(start + std::chrono::hours(1) + std::chrono::seconds(9)));
    EXPECT_TRUE(conversation_.wants_input());
}

TEST_F(ConversationStreams, OfEventsSayThatTheyLive) {
    receive("GET /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const auto answer = begin();
    EXPECT_TRUE(answer->write("id: 1\ndata: x\n\n"));
    send();
    EXPECT_THAT(taken(), EndsWith("f\r\nid: 1\ndata: x\n\n\r\n"));
    send(start + options_.heartbeat - std::chrono::seconds(1));
    EXPECT_EQ(taken(), "");
    send(start + options_.heartbeat);
    EXPECT_EQ(taken(), "d\r\n: heartbeat\n\n\r\n");
    send(start + options_.heartbeat * 2 - std::chrono::seconds(1));
    EXPECT_EQ(taken(), "");
    EXPECT_FALSE(conversation_.has_expired(start + std::chrono::hours(1))) << "it is never idle";
    conversation_.stop();
    send(start + options_.heartbeat);
    EXPECT_EQ(taken(), "0\r\n\r\n") << "it ends with the server";
    EXPECT_TRUE(conversation_.is_finished());
    EXPECT_FALSE(answer->try_write("more"));
}

TEST_F(ConversationStreams, OfEventsEndWhenTheClientClosesItsSide) {
    receive("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto answer = begin();
    EXPECT_TRUE(answer->write("data: x\n\n"));
    send();
    conversation_.end_input();
    send();
    EXPECT_TRUE(conversation_.is_finished());
    EXPECT_FALSE(answer->try_write("more"));
}

}  // namespace
}  // namespace trackops::http
