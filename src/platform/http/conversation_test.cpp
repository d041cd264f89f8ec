#include "platform/http/conversation.hpp"

#include <random>

#include <gtest/gtest.h>

#include "testing/fakes.hpp"

namespace trackops::http {
namespace {

// Answers every request at once, on the spot.
class Desk final : public Conversation::Host {
public:
    void handle(const Route&, Request request, Conversation::Place place) override {
        conversation->answer(place.number, {.body = std::move(request.body)});
        ++handled;
    }
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
    "GET /a?b=%20c HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
    "4\r\n\r\nbody",
    "POST /a HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: "
    "chunked\r\n\r\n3;e=\"q\"\r\nabc\r\n0\r\nT: 1\r\n\r\n",
    "DELETE /a/%41 HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
    "GET /a HTTP/1.1\r\nHost: x\r\nA: folded\r\n line\r\ntraceparent: "
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

// Whatever comes, in whatever pieces: one answer a request, nothing left over, and the pieces make
// no difference.
TEST(Conversation, SurvivesAnyBytes) {
    const Router router({{"GET", "/a", Run::on_io, {}},
                         {"POST", "/a", Run::on_io, {}},
                         {"DELETE", "/a/{x}", Run::on_io, {}}});
    const ServerOptions options{.header_bytes_max = 512, .body_bytes_max = 256, .pipelined_max = 2};
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
                conversation.resume(now);
            }
            at += count;
        }
        ASSERT_GE(desk.observed, desk.handled) << text;
        ASSERT_TRUE(out.empty() || out.starts_with("HTTP/1.1 ")) << out;
        finished += conversation.is_finished() ? 1 : 0;
    }
    EXPECT_GT(finished, 1000);  // the damage was such that many were refused, and
    EXPECT_LT(finished, 4900);  // not all
}

TEST(Conversation, RefusesAChunkHeaderThatNeverEnds) {
    const Router router({{"POST", "/a", Run::on_io, {}}});
    const ServerOptions options{.header_bytes_max = 512};
    Desk desk;
    Conversation conversation(desk, router, options, 1, {});
    desk.conversation = &conversation;
    conversation.receive(
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: "
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

}  // namespace
}  // namespace trackops::http
