#include "platform/http/conversation.hpp"

#include <random>

#include <gtest/gtest.h>

#include "platform/http/conversation_fixture.hpp"
#include "testing/fakes.hpp"

namespace trackops::http {
namespace {

// Answers every request at once, within handle().
class Desk final : public Conversation::Host {
public:
    void handle(const Route&, Request request, Conversation::Place place) override {
        conversation->answer(place.number, {.body = std::move(request.body)});
        ++handled;
    }
    std::shared_ptr<const Principal> identify(const Request&) override { return local_principal(); }
    Uuid fresh_id() override { return ids.next(); }
    std::string_view date() override { return "Tue, 14 Nov 2023 22:13:20 GMT"; }
    void reached(Limit) override {}
    void observe(const Conversation::Access&) override { ++observed; }

    Conversation* conversation = nullptr;
    trackops::testing::SeededIds ids;
    int handled = 0;
    int observed = 0;
};

const std::vector<std::string> seeds = {
    "GET /a?b=%20c HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
    "4\r\n\r\nbody",
    "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: "
    "chunked\r\n\r\n3;e=\"q\"\r\nabc\r\n0\r\nT: 1\r\n\r\n",
    "DELETE /a/%41 HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
    "GET /a HTTP/1.1\r\nHost: localhost\r\nA: folded\r\n line\r\ntraceparent: "
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00\r\n\r\n",
};

std::string damaged(std::mt19937& random) {
    std::string text;
    for (auto count = 1 + random() % 3; count > 0; --count) text += seeds[random() % seeds.size()];
    for (auto count = random() % 6; count > 0; --count) {
        const std::size_t at = random() % text.size();
        switch (random() % 4) {
            case 0:
                text[at] = static_cast<char>(random());
                break;
            case 1:
                text.erase(at, 1 + random() % 20);
                break;
            case 2:
                text.insert(at,
                            seeds[random() % seeds.size()].substr(random() % 30, random() % 30));
                break;
            default:
                text.insert(at, 1 + random() % 600, static_cast<char>(random()));
                break;
        }
        if (text.empty()) text = "\r";
    }
    return text;
}

// For any bytes in any pieces, each request gets one response and nothing is left over. The pieces
// make no difference.
TEST(Conversation, SurvivesAnyBytes) {
    const Router router({route_for_tests("GET", "/a"), route_for_tests("POST", "/a"),
                         route_for_tests("DELETE", "/a/{x}")});
    const ServerOptions options{
        .header_bytes_max = 512, .body_bytes_max = 256, .edge = {.pipelined_max = 2}};
    std::mt19937 random(20261123);
    int finished = 0;
    for (int round = 0; round < 5000; ++round) {
        const std::string text = damaged(random);
        Desk desk;
        const Conversation::Time now{};
        Conversation conversation(desk, router, options, 1, now);
        desk.conversation = &conversation;
        std::string out;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t count = std::min<std::size_t>(1 + random() % 200, text.size() - at);
            conversation.receive(std::string_view(text).substr(at, count), now);
            for (std::size_t before = std::string::npos; before != out.size();) {
                before = out.size();
                conversation.take_output(out, now);
                conversation.sent(now);
            }
            at += count;
        }
        ASSERT_GE(desk.observed, desk.handled) << text;
        ASSERT_TRUE(out.empty() || out.starts_with("HTTP/1.1 ")) << out;
        finished += conversation.is_finished() ? 1 : 0;
    }
    // The damage makes many conversations end with a refusal, but not all.
    EXPECT_GT(finished, 1000);
    EXPECT_LT(finished, 4900);
}

TEST(Conversation, RefusesAChunkHeaderThatNeverEnds) {
    const Router router({route_for_tests("POST", "/a")});
    const ServerOptions options{.header_bytes_max = 512};
    Desk desk;
    Conversation conversation(desk, router, options, 1, {});
    desk.conversation = &conversation;
    conversation.receive(
        "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        "application/json\r\nTransfer-Encoding: "
        "chunked\r\n\r\n1;",
        {});
    for (int i = 0; i < 600 && !conversation.is_finished(); ++i) {
        conversation.receive("x", {});
        std::string out;
        conversation.take_output(out, {});
        if (!out.empty()) {
            EXPECT_TRUE(out.starts_with("HTTP/1.1 431 ")) << out;
        }
    }
    EXPECT_TRUE(conversation.is_finished());
}

class ConversationTimes : public ::testing::Test {
protected:
    static constexpr Conversation::Time start{std::chrono::hours(1)};
    static std::string get(std::string_view path, std::string_view id) {
        return "GET " + std::string(path) +
               " HTTP/1.1\r\nHost: localhost\r\nX-Correlation-ID: " + std::string(id) + "\r\n\r\n";
    }

    ServerOptions options_{.header_bytes_max = 512,
                           .body_bytes_max = 16,
                           .read_timeout = std::chrono::seconds(15),
                           .edge = {.idle_timeout = std::chrono::seconds(60), .pipelined_max = 1}};
    const Router router_{holding_routes()};
    Talk talk_{router_, options_, start};
};

TEST_F(ConversationTimes, AreOfEachRequestFromItsOwnFirstByte) {
    options_.edge.pipelined_max = 8;
    const std::string first = get("/hold", "r0");
    const std::string second = get("/hold", "r1");
    talk_.receive(first.substr(0, 9), start);
    talk_.receive(first.substr(9) + second.substr(0, 9), start + std::chrono::seconds(10));
    EXPECT_FALSE(talk_.conversation.has_expired(start + std::chrono::seconds(24)));
    EXPECT_TRUE(talk_.conversation.wants_input()) << "the second began ten seconds later";
    talk_.receive(second.substr(9), start + std::chrono::seconds(24));
    talk_.answer_all(Order::oldest_first, start + std::chrono::seconds(30));
    ASSERT_EQ(talk_.host.observed.size(), 2u);
    EXPECT_EQ(talk_.host.observed[0].took, std::chrono::seconds(30));
    EXPECT_EQ(talk_.host.observed[1].took, std::chrono::seconds(20));
    talk_.receive(first.substr(0, 9), start + std::chrono::seconds(50));
    EXPECT_FALSE(talk_.conversation.has_expired(start + std::chrono::seconds(64)));
    EXPECT_TRUE(talk_.conversation.wants_input());
    EXPECT_FALSE(talk_.conversation.has_expired(start + std::chrono::seconds(65)));
    EXPECT_FALSE(talk_.conversation.wants_input()) << "now it is too slow";
}

// A large body over a slow line takes longer than a header may.
TEST_F(ConversationTimes, OfABodyCountItsRate) {
    options_.body_bytes_max = 1000;
    options_.edge.upload_bytes_per_second_min = 10;
    const std::string head =
        "POST /body HTTP/1.1\r\nHost: localhost\r\nX-Correlation-ID: r0\r\nContent-Type: "
        "application/json\r\nContent-Length: 1000\r\n\r\n";
    talk_.receive(head.substr(0, 20), start);
    auto now = start + std::chrono::seconds(14);
    EXPECT_FALSE(talk_.conversation.has_expired(now));
    talk_.receive(head.substr(20), now);
    for (int round = 0; round < 4; ++round) {  // 150 bytes in 15 seconds are enough
        talk_.receive(std::string(149, 'x'), now + std::chrono::seconds(1));
        talk_.receive("x", now + std::chrono::seconds(14));
        now += std::chrono::seconds(15);
        EXPECT_FALSE(talk_.conversation.has_expired(now));
        ASSERT_TRUE(talk_.conversation.wants_input()) << round;
    }
    talk_.receive(std::string(149, 'x'), now);
    EXPECT_FALSE(talk_.conversation.has_expired(now + std::chrono::seconds(14)));
    EXPECT_TRUE(talk_.conversation.wants_input()) << "the time is not over";
    EXPECT_FALSE(talk_.conversation.has_expired(now + std::chrono::seconds(15)));
    EXPECT_FALSE(talk_.conversation.wants_input()) << "149 bytes are too few";
    talk_.go_on(now);
    EXPECT_TRUE(talk_.out.starts_with("HTTP/1.1 408 ")) << talk_.out;
    EXPECT_EQ(talk_.host.limits, std::vector{Limit::read_time});
}

// A request that waits for room is late by no fault of the client's.
TEST_F(ConversationTimes, DoNotCountWhileARequestWaitsForRoom) {
    const std::string next = get("/hello", "r1");
    talk_.receive(get("/hold", "r0") + next.substr(0, 9), start);
    EXPECT_FALSE(talk_.conversation.has_expired(start + std::chrono::hours(1)));
    const auto later = start + std::chrono::hours(1);
    talk_.answer_all(Order::oldest_first, later);
    EXPECT_FALSE(talk_.conversation.has_expired(later + std::chrono::seconds(14)));
    EXPECT_TRUE(talk_.conversation.wants_input());
    talk_.receive(next.substr(9), later + std::chrono::seconds(14));
    EXPECT_EQ(answers_of(talk_.out),
              (std::vector<Answered>{{200, "r0", "for r0", false}, {200, "r1", "for r1", false}}));
}

TEST_F(ConversationTimes, OfIdlingCountFromTheLastAnswer) {
    EXPECT_FALSE(talk_.conversation.has_expired(start + std::chrono::seconds(59)));
    talk_.receive(get("/hold", "r0"), start + std::chrono::seconds(59));
    EXPECT_FALSE(talk_.conversation.has_expired(start + std::chrono::seconds(200)));
    talk_.answer_all(Order::oldest_first, start + std::chrono::seconds(200));
    EXPECT_FALSE(talk_.conversation.has_expired(start + std::chrono::seconds(259)));
    EXPECT_TRUE(talk_.host.limits.empty() || talk_.host.limits.back() != Limit::idle_time);
    EXPECT_TRUE(talk_.conversation.has_expired(start + std::chrono::seconds(260)));
    EXPECT_EQ(talk_.host.limits.back(), Limit::idle_time);
}

TEST_F(ConversationTimes, DoNotMatterToWhatWasReceivedBeforeAStop) {
    talk_.receive(get("/hold", "r0") + get("/hold", "r1") + get("/hello", "r2"), start);
    talk_.conversation.stop();
    talk_.answer_all(Order::oldest_first, start);
    EXPECT_EQ(answers_of(talk_.out), (std::vector<Answered>{{200, "r0", "for r0", false},
                                                            {200, "r1", "for r1", false},
                                                            {200, "r2", "for r2", true}}));
    EXPECT_TRUE(talk_.conversation.is_finished());
}

TEST_F(ConversationTimes, AreObservedUnderTheRouteOfTheRequestItself) {
    talk_.receive(
        get("/hello", "r0") + get("/nothing", "r1") + get("/hello", "r2") + "GARBAGE\r\n\r\n",
        start);
    ASSERT_EQ(talk_.host.observed.size(), 4u);
    std::string seen;
    for (const auto& [status, method, route, took] : talk_.host.observed)
        seen += std::to_string(status) + ' ' + method + ' ' + route + '\n';
    EXPECT_EQ(seen, "200 GET /hello\n404 GET \n200 GET /hello\n400  \n");
}

// RFC 9110, 10.1.1: once a part of the body has arrived, no 100 Continue is needed.
TEST(Conversation, SaysContinueToNobodyWhoHasBegunToSendTheBody) {
    const ServerOptions options;
    const Router router(holding_routes());
    const std::string head =
        "POST /body HTTP/1.1\r\nHost: localhost\r\nX-Correlation-ID: r1\r\nContent-Type: "
        "application/json\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    Talk at_once(router, options);
    at_once.receive(head + "bo");
    EXPECT_EQ(at_once.out, "");
    at_once.receive("dy");
    EXPECT_EQ(answers_of(at_once.out), (std::vector<Answered>{{200, "r1", "for r1", false}}));
    Talk held_up(router, options);
    held_up.receive("GET /hold HTTP/1.1\r\nHost: localhost\r\nX-Correlation-ID: r0\r\n\r\n" + head);
    held_up.receive("bo");
    held_up.answer_all(Order::oldest_first);
    EXPECT_EQ(held_up.out.find("100 Continue"), std::string::npos);
    held_up.receive("dy");
    EXPECT_EQ(answers_of(held_up.out),
              (std::vector<Answered>{{200, "r0", "for r0", false}, {200, "r1", "for r1", false}}));
}

}  // namespace
}  // namespace trackops::http
