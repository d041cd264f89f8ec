// Pipelined requests: every response has the place of its request, no matter which requests are
// answered at once and in which order the others are answered later.
#include <array>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/http/conversation_fixture.hpp"
#include "platform/http/server_fixture.hpp"

namespace trackops::http {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Kind {  // a kind of request
    std::string_view name;
    std::string_view line;
    std::string_view headers;  // in addition to Host and X-Correlation-ID
    std::string_view body;
    int status;  // of the response
};

constexpr std::string_view json = "Content-Type: application/json\r\n";

// clang-format off
constexpr auto kinds = std::to_array<Kind>({
    {"held",                "GET /hold HTTP/1.1",     "", "", 200},
    {"answered at once",    "GET /hello HTTP/1.1",    "", "", 200},
    {"too busy",            "GET /busy HTTP/1.1",     "", "", 503},
    {"no path",             "GET /nothing HTTP/1.1",  "", "", 404},
    {"no path, with body",  "POST /nothing HTTP/1.1", "Content-Length: 4\r\n", "body", 404},
    {"no method",           "POST /hello HTTP/1.1",   "Content-Length: 4\r\n", "body", 405},
    {"OPTIONS",             "OPTIONS /hold HTTP/1.1", "", "", 204},
    {"wrong media type",    "POST /body HTTP/1.1",    "Content-Length: 4\r\n", "body", 415},
    {"HEAD",                "HEAD /hello HTTP/1.1",   "", "", 200},
    {"HEAD of nothing",     "HEAD /nothing HTTP/1.1", "", "", 404},
});
// The connection ends after each of these. The last two are answered before their body arrives.
constexpr auto last_kinds = std::to_array<Kind>({
    {"held, close",         "GET /hold HTTP/1.1",     "Connection: close\r\n", "", 200},
    {"no path, close",      "GET /nothing HTTP/1.1",  "Connection: close\r\n", "", 404},
    {"HTTP/1.0",            "GET /hello HTTP/1.0",    "", "", 200},
    {"no request",          "GARBAGE",                "", "", 400},
    {"no target",           "GET /%ff HTTP/1.1",      "", "", 400},
    {"header too large",    "GET /hello HTTP/1.1",    "A: {long}\r\n", "", 431},
    {"body too large",      "POST /body HTTP/1.1",    "{json}Content-Length: 17\r\n", "12345678901234567", 413},
    {"chunks too large",    "POST /body HTTP/1.1",    "{json}Transfer-Encoding: chunked\r\n", "11\r\n12345678901234567\r\n0\r\n\r\n", 413},
    {"body not wanted",     "POST /nothing HTTP/1.1", "Content-Length: 4\r\nExpect: 100-continue\r\n", "", 404},
    {"body would be too large", "POST /body HTTP/1.1", "{json}Content-Length: 17\r\nExpect: 100-continue\r\n", "", 413},
});
// clang-format on

std::string replaced(std::string text, std::string_view mark, std::string_view with) {
    if (const auto at = text.find(mark); at != std::string::npos)
        text.replace(at, mark.size(), with);
    return text;
}

std::string text_of(const Kind& kind, std::string_view id) {
    const auto headers = replaced(replaced(std::string(kind.headers), "{json}", json), "{long}",
                                  std::string(1000, 'x'));
    return fmt::format("{}\r\nHost: localhost\r\nX-Correlation-ID: {}\r\n{}\r\n{}", kind.line, id,
                       headers, kind.body);
}

class Pipelining : public ::testing::Test {
protected:
    static bool says_for_whom(const Kind& kind) {
        return (kind.status == 200 || kind.status == 503) && !kind.line.starts_with("HEAD");
    }
    // Sends all requests at once and checks that each gets its own response.
    void expect_answers(const std::vector<const Kind*>& sent, std::size_t window, Order order) {
        options_.edge.pipelined_max = window;
        Talk talk(router_, options_);
        std::string text;
        std::string names;
        for (std::size_t i = 0; i < sent.size(); ++i) {
            text += text_of(*sent[i], fmt::format("r{}", i));
            names += fmt::format("[{}]", sent[i]->name);
        }
        talk.receive(text);
        talk.answer_all(order);
        const std::vector<Answered> answers = answers_of(talk.out);
        ASSERT_EQ(answers.size(), sent.size()) << names << talk.out;
        ASSERT_EQ(talk.host.observed.size(), sent.size()) << names;
        for (std::size_t i = 0; i < sent.size(); ++i) {
            const std::string id = fmt::format("r{}", i);
            ASSERT_EQ(answers[i].status, sent[i]->status) << names << talk.out;
            ASSERT_EQ(talk.host.observed[i].status, sent[i]->status) << names;
            ASSERT_FALSE(answers[i].closes) << names << talk.out;
            ASSERT_EQ(answers[i].id, id) << names << talk.out;
            if (says_for_whom(*sent[i])) {
                ASSERT_EQ(answers[i].body, "for " + id) << names;
            }
        }
        ASSERT_FALSE(talk.conversation.is_finished()) << names;
    }

    ServerOptions options_{.header_bytes_max = 512, .body_bytes_max = 16};
    const Router router_{holding_routes()};
};

TEST_F(Pipelining, AnswersThreeRequestsOfAnyKindsAtTheirPlaces) {
    for (const Kind& first : kinds) {
        for (const Kind& second : kinds) {
            for (const Kind& third : kinds) {
                for (const std::size_t window : {64u, 2u, 1u}) {
                    ASSERT_NO_FATAL_FAILURE(
                        expect_answers({&first, &second, &third}, window, Order::newest_first));
                }
            }
        }
    }
}

TEST_F(Pipelining, AnswersAtItsPlaceWhateverStandsAroundTwoThatAreHeld) {
    const Kind& held = kinds[0];
    for (const Kind& one : kinds) {
        for (const Kind& other : kinds) {
            for (const Order order : {Order::oldest_first, Order::newest_first}) {
                for (const auto& sent :
                     std::vector<std::vector<const Kind*>>{{&one, &held, &held, &other},
                                                           {&held, &one, &other, &held},
                                                           {&one, &held, &other, &held, &one}}) {
                    ASSERT_NO_FATAL_FAILURE(expect_answers(sent, 64, order));
                }
            }
        }
    }
}

TEST_F(Pipelining, EndsBehindTheAnswersToAllThatCameBefore) {
    for (const Kind& before : kinds) {
        for (const Kind& last : last_kinds) {
            Talk talk(router_, options_);
            talk.receive(text_of(before, "r0") + text_of(kinds[0], "r1") + text_of(last, "r2") +
                         text_of(kinds[0], "r3"));
            EXPECT_FALSE(talk.conversation.wants_input()) << last.name;
            ASSERT_FALSE(talk.conversation.is_finished()) << last.name;
            talk.answer_all(Order::newest_first);
            const std::vector<Answered> answers = answers_of(talk.out);
            ASSERT_EQ(answers.size(), 3u) << before.name << last.name << talk.out;
            EXPECT_EQ(answers[0].id, "r0") << last.name;
            EXPECT_EQ(answers[0].status, before.status) << last.name;
            EXPECT_FALSE(answers[0].closes || answers[1].closes) << talk.out;
            EXPECT_EQ(answers[1], (Answered{200, "r1", "for r1", false})) << last.name;
            EXPECT_EQ(answers[2].status, last.status) << last.name;
            EXPECT_EQ(answers[2].id == "r2", last.status != 400 || last.name == "no target");
            EXPECT_TRUE(answers[2].closes) << last.name;
            EXPECT_TRUE(talk.conversation.is_finished()) << last.name;
        }
    }
}

TEST_F(Pipelining, SaysContinueOnlyWhenAllBeforeIsAnswered) {
    const std::string head = fmt::format(
        "POST /body HTTP/1.1\r\nHost: localhost\r\nX-Correlation-ID: r2\r\n{}Content-Length: "
        "4\r\nExpect: 100-continue\r\n\r\n",
        json);
    for (const Order order : {Order::oldest_first, Order::newest_first}) {
        Talk talk(router_, options_);
        talk.receive(text_of(kinds[0], "r0") + text_of(kinds[0], "r1") + head);
        EXPECT_THAT(talk.out, IsEmpty());
        talk.answer_one(order);
        EXPECT_EQ(talk.out.find("100 Continue"), std::string::npos);
        talk.answer_one(order);
        EXPECT_TRUE(talk.out.ends_with("for r1HTTP/1.1 100 Continue\r\n\r\n")) << talk.out;
        talk.out.clear();
        talk.receive("body");
        EXPECT_EQ(answers_of(talk.out), (std::vector<Answered>{{200, "r2", "for r2", false}}));
    }
    Talk impatient(router_, options_);  // sends its body before the 100 Continue
    impatient.receive(text_of(kinds[0], "r0") + head);
    impatient.receive("body");
    impatient.answer_all(Order::oldest_first);
    EXPECT_EQ(answers_of(impatient.out),
              (std::vector<Answered>{{200, "r0", "for r0", false}, {200, "r2", "for r2", false}}));
}

TEST_F(Pipelining, TellsTheSlowOneBehindTheAnswersToAllThatCameBefore) {
    const Conversation::Time start{};
    Talk talk(router_, options_, start);
    talk.receive(text_of(kinds[3], "r0") + text_of(kinds[0], "r1") + text_of(kinds[0], "r2") +
                     "GET /hello HTTP/1.1\r\nHo",
                 start);
    const auto late = start + options_.read_timeout;
    EXPECT_FALSE(talk.conversation.has_expired(late - Duration(1)));
    EXPECT_TRUE(talk.conversation.wants_input());
    EXPECT_FALSE(talk.conversation.has_expired(late));
    EXPECT_FALSE(talk.conversation.wants_input());
    talk.answer_all(Order::newest_first);
    const std::vector<Answered> answers = answers_of(talk.out);
    ASSERT_EQ(answers.size(), 4u);
    EXPECT_EQ(answers[1], (Answered{200, "r1", "for r1", false}));
    EXPECT_EQ(answers[2], (Answered{200, "r2", "for r2", false}));
    EXPECT_EQ(answers[3].status, 408);
    EXPECT_TRUE(answers[3].closes);
    EXPECT_TRUE(talk.conversation.is_finished());
}

TEST_F(Pipelining, StopsBehindTheAnswersToAllThatCameBefore) {
    for (const Kind& before : kinds) {
        Talk talk(router_, options_);
        const std::string last = text_of(kinds[0], "r2");
        talk.receive(text_of(before, "r0") + text_of(kinds[0], "r1") + last.substr(0, 9));
        talk.conversation.stop();
        EXPECT_TRUE(talk.conversation.wants_input()) << "one had begun to arrive";
        talk.receive(last.substr(9));
        EXPECT_FALSE(talk.conversation.wants_input());
        talk.answer_all(Order::newest_first);
        const std::vector<Answered> answers = answers_of(talk.out);
        ASSERT_EQ(answers.size(), 3u) << before.name;
        EXPECT_EQ(answers[0].id, "r0") << before.name;
        EXPECT_EQ(answers[1], (Answered{200, "r1", "for r1", false})) << before.name;
        EXPECT_EQ(answers[2], (Answered{200, "r2", "for r2", true})) << before.name;
        EXPECT_TRUE(talk.conversation.is_finished());
    }
}

using Pipeline = ServerTest;

// Answers two held requests from another thread, in reverse order.
void answer_in_reverse(HeldReplies& held) {
    std::vector<Reply> replies = held.take(2);
    ASSERT_EQ(replies.size(), 2u);
    std::thread([&] {
        for (auto reply = replies.rbegin(); reply != replies.rend(); ++reply)
            reply->json(200, std::string(*reply->request().query_value("number")));
    }).join();
}

TEST_F(Pipeline, KeepsThePlacesBehindWhatIsAnsweredAtOnce) {
    start();
    const std::string two = get("/hold?number=1") + get("/hold?number=2");
    for (const auto& [first, status] : std::vector<std::pair<std::string, int>>{
             {get("/hello"), 200},
             {get("/echo/text"), 200},
             {"HEAD /hello HTTP/1.1\r\nHost: localhost\r\n\r\n", 200},
             {get("/header"), 204},
             {get("/nothing"), 404},
             {"HEAD /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
             {post("/nothing", "some body"), 404},
             {post("/hello", "some body"), 405},
             {"OPTIONS /hold HTTP/1.1\r\nHost: localhost\r\n\r\n", 204},
             {post("/body", "{}", "Content-Type: text/plain\r\n"), 415},
             {get("/throw"), 500},
             {get("/throw-worker"), 500},
             {get("/drop"), 500}}) {
        for (const bool is_in_request : {false, true}) {
            auto client = this->client();
            client.send(is_in_request ? get("/hello") + first + two + get("/hello") : first + two);
            answer_in_reverse(held_);
            if (is_in_request) {
                EXPECT_EQ(client.answer().body, "{\"hello\":1}") << first;
            }
            EXPECT_EQ(client.answer(first.starts_with("HEAD")).status, status) << first;
            EXPECT_EQ(client.answer().body, "1") << first;
            EXPECT_EQ(client.answer().body, "2") << first;
            if (is_in_request) {
                EXPECT_EQ(client.answer().body, "{\"hello\":1}") << first;
            }
        }
    }
}

TEST_F(Pipeline, KeepsThePlacesBehindWorkThatIsTurnedAway) {
    start({.query_queue_max = 1, .query_in_work_max = 3, .edge = {.query_workers = 1}});
    auto busy = client();
    busy.send(get("/hold-worker"));
    const auto working = held_.take(1);  // the one worker is busy from now on
    busy.send(get("/echo/1") + get("/echo/2"));
    wait_until([&] { return limit_reached("worker_queue") == 1; });  // its queue is full
    auto client = this->client();
    client.send(get("/echo/3") + get("/hold?number=1") + get("/echo/4") + get("/hold?number=2"));
    answer_in_reverse(held_);
    EXPECT_EQ(client.answer().status, 503);
    EXPECT_EQ(client.answer().body, "1");
    EXPECT_EQ(client.answer().status, 503);
    EXPECT_EQ(client.answer().body, "2");
    open_gate();
}

TEST_F(Pipeline, EndsBehindTwoThatAreAnsweredLater) {
    start();
    const std::string two = get("/hold?number=1") + get("/hold?number=2");
    for (const auto& [last, status] : std::vector<std::pair<std::string, int>>{
             {"GARBAGE\r\n\r\n", 400},
             {get("/nothing", "Connection: close\r\n"), 404},
             {post("/small", std::string(17, 'x')), 413},
             {"POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
              "Content-Length: 17\r\nExpect: 100-continue\r\n\r\n",
              413},
             {"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
              "Expect: 100-continue\r\n\r\n",
              404},
             {get("/hello", "A: " + std::string(20'000, 'x') + "\r\n"), 431}}) {
        auto client = this->client();
        client.send(get("/nothing") + two + last);
        answer_in_reverse(held_);
        EXPECT_EQ(client.answer().status, 404) << last;
        EXPECT_EQ(client.answer().body, "1") << last;
        EXPECT_EQ(client.answer().body, "2") << last;
        const auto answer = client.answer();
        EXPECT_EQ(answer.status, status) << last;
        EXPECT_THAT(answer.head, HasSubstr("Connection: close\r\n")) << last;
        EXPECT_TRUE(client.is_closed()) << last;
    }
}

}  // namespace
}  // namespace trackops::http
