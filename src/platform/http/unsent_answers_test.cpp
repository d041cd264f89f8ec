// Answers that wait for their client: how many requests are taken meanwhile, and what they cost.
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/http/conversation_fixture.hpp"
#include "platform/http/server_fixture.hpp"
#include "platform/runtime/budget.hpp"

namespace trackops::http {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::SizeIs;

constexpr std::size_t kibibyte = 1024;

// Answers each request at once, or holds it.
class CountingHost final : public Conversation::Host {
public:
    void handle(const Route& route, Request request, Conversation::Place place) override {
        ++handled;
        if (route.work == Work::query) return held.push_back(place);
        conversation->answer(place.number, request.path == "/static"
                                               ? Response{.static_body = text}
                                               : Response{.body = std::string(text)});
    }
    std::shared_ptr<const Principal> identify(const Request&) override { return local_principal(); }
    Uuid fresh_id() override { return ids.next(); }
    std::string_view date() override { return "Tue, 14 Nov 2023 22:13:20 GMT"; }
    void reached(Limit limit) override { limits.push_back(limit); }
    void observe(const Conversation::Access&) override { ++answered; }

    Conversation* conversation = nullptr;
    std::string text = std::string(kibibyte, 'x');
    trackops::testing::SeededIds ids;
    std::vector<Conversation::Place> held;
    std::vector<Limit> limits;
    int handled = 0;
    int answered = 0;
};

class UnsentAnswers : public ::testing::Test {
protected:
    UnsentAnswers() { host_.conversation = &conversation_; }
    static std::string get(std::string_view path, int times) {
        std::string text;
        while (times-- > 0)
            text += "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
        return text;
    }
    std::string take() {
        std::string out;
        conversation_.take_output(out, {});
        return out;
    }
    void answer_oldest() {
        conversation_.answer(host_.held.front().number, {.body = "{}"});
        host_.held.erase(host_.held.begin());
    }

    telemetry::Registry metrics_;
    runtime::Budget budget_{1024 * kibibyte, metrics_};
    ServerOptions options_{.budget = &budget_, .edge = {.unsent_bytes_max = 16 * kibibyte}};
    const Router router_{{route_for_tests("GET", "/text"), route_for_tests("GET", "/static"),
                          route_for_tests("GET", "/query", {}, Work::query)}};
    CountingHost host_;
    Conversation conversation_{host_, router_, options_, 7, {}};
};

TEST_F(UnsentAnswers, HoldFurtherRequestsBack) {
    host_.text = std::string(8 * kibibyte, 'x');
    conversation_.receive(get("/text", 5), {});
    EXPECT_EQ(host_.handled, 2) << "two answers with their heads are more than 16 KiB";
    EXPECT_FALSE(conversation_.wants_input());
    std::string out = take();
    EXPECT_EQ(host_.answered, 2);
    conversation_.receive(get("/text", 1), {});
    EXPECT_EQ(host_.handled, 2) << "the output is taken but not sent";
    EXPECT_THAT(host_.limits, ElementsAre(Limit::unsent_bytes)) << "told once";
    conversation_.sent({});
    EXPECT_EQ(host_.handled, 4);
    for (int i = 0; i < 3; ++i) {
        out += take();
        conversation_.sent({});
    }
    EXPECT_EQ(host_.handled, 6);
    EXPECT_THAT(answers_of(out), SizeIs(6));
    EXPECT_TRUE(conversation_.wants_input());
}

TEST_F(UnsentAnswers, TakeBytesOfTheBudget) {
    conversation_.receive(get("/text", 1), {});
    EXPECT_EQ(budget_.used(), 0u) << "the usual answer leaves at once";
    conversation_.receive(get("/text", 20), {});
    EXPECT_THAT(budget_.used(), AllOf(Ge(16 * kibibyte), Le(18 * kibibyte)));
    EXPECT_THAT(metrics_.prometheus_text(), HasSubstr("trackops_budget_bytes{use=\"answers\"} "));
    const std::size_t bytes = take().size();
    EXPECT_THAT(budget_.used(), AllOf(Ge(bytes), Le(18 * kibibyte))) << "until they are sent";
    for (int i = 0; i < 10; ++i) {
        conversation_.sent({});
        (void)take();
    }
    EXPECT_EQ(host_.answered, 21);
    conversation_.sent({});
    EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(UnsentAnswers, LeaveInPieces) {
    host_.text = std::string(200 * kibibyte, 'x') + "end";
    for (const std::string path : {"/text", "/static"}) {
        conversation_.receive(get(path, 2), {});
        EXPECT_EQ(host_.answered % 2, 0);
        std::string all;
        for (std::string piece = take(); !piece.empty(); piece = take()) {
            EXPECT_LE(piece.size(), 128 * kibibyte);
            all += piece;
            conversation_.sent({});
        }
        const std::vector<Answered> answers = answers_of(all);
        ASSERT_EQ(answers.size(), 2u) << path;
        for (const Answered& answer : answers) EXPECT_EQ(answer.body, host_.text);
    }
    EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(UnsentAnswers, CostNothingButTheirHeadIfTheyAreStatic) {
    host_.text = std::string(200 * kibibyte, 'x');
    conversation_.receive(get("/static", 1), {});
    EXPECT_EQ(budget_.used(), 0u);
    conversation_.receive(get("/text", 1), {});
    EXPECT_GE(budget_.used(), host_.text.size());
}

TEST_F(UnsentAnswers, ToQueriesAreFewOnAConnection) {
    conversation_.receive(get("/query", 4) + get("/text", 1), {});
    EXPECT_EQ(host_.handled, 2);
    EXPECT_FALSE(conversation_.wants_input());
    EXPECT_THAT(host_.limits, Contains(Limit::in_work).Times(1));
    conversation_.receive(get("/text", 1), {});
    EXPECT_EQ(host_.handled, 2) << "nothing overtakes";
    answer_oldest();
    EXPECT_EQ(host_.handled, 2) << "the answer is not sent";
    EXPECT_THAT(answers_of(take()), SizeIs(1));
    conversation_.sent({});
    EXPECT_EQ(host_.handled, 3);
    EXPECT_FALSE(conversation_.has_expired(Conversation::Time(std::chrono::hours(1))))
        << "the client waits for us";
    answer_oldest();
    answer_oldest();
    EXPECT_THAT(answers_of(take()), SizeIs(2));
    conversation_.sent({});
    EXPECT_EQ(host_.handled, 6);
    answer_oldest();
    EXPECT_THAT(answers_of(take()), SizeIs(3));
    conversation_.sent({});
    EXPECT_TRUE(conversation_.wants_input());
}

TEST_F(UnsentAnswers, ToQueriesThatWaitForTheirTurnComeAfterAStop) {
    conversation_.receive(get("/query", 3), {});
    conversation_.stop();
    EXPECT_FALSE(conversation_.is_finished());
    for (int i = 0; i < 3; ++i) {
        ASSERT_FALSE(host_.held.empty());
        answer_oldest();
        EXPECT_THAT(answers_of(take()), SizeIs(1));
        conversation_.sent({});
    }
    EXPECT_EQ(host_.handled, 3);
    EXPECT_TRUE(conversation_.is_finished());
}

using AnswersOfAServer = ServerTest;

// Half of the budget has room for two answers of 8 MB that nobody reads.
TEST_F(AnswersOfAServer, AreRefusedWhenTheMemoryIsInUse) {
    runtime::Budget budget(40 * 1024 * kibibyte, metrics_);
    start({.budget = &budget});
    std::vector<RawClient> unread;
    for (int i = 0; i < 2; ++i) {
        unread.push_back(client());
        unread.back().shrink_window();
        unread.back().send(get("/large"));
        wait_until([&] { return budget.used() > i * 8 * 1024 * kibibyte; });
    }
    const auto refused = client().ask(get("/large"));
    EXPECT_EQ(refused.status, 503);
    EXPECT_THAT(refused.body, HasSubstr(R"("code":"overloaded")"));
    EXPECT_EQ(counted("trackops_budget_refused_total", {{"use", "answers"}}), 1);
    EXPECT_EQ(client().ask(get("/hello")).status, 200) << "small ones go on";
    for (RawClient& client : unread) client.reset();
    wait_until([&] { return budget.used() == 0; });
    EXPECT_EQ(client().ask(get("/large")).body.size(), 8u * 1024 * kibibyte);
    wait_until([&] { return budget.used() == 0; });
    server_.reset();  // before its budget
}

TEST_F(AnswersOfAServer, OfClientsThatReadNothingAreFew) {
    runtime::Budget budget(1024 * 1024 * kibibyte, metrics_);
    start({.budget = &budget});
    std::string requests;
    for (int i = 0; i < 64; ++i) requests += get("/large");
    std::vector<RawClient> unread;
    for (int i = 0; i < 8; ++i) {
        unread.push_back(client());
        unread.back().shrink_window();
        unread.back().send(requests);
    }
    wait_until([&] { return limit_reached("unsent_bytes") == 8; });
    EXPECT_THAT(budget.used(), AllOf(Ge(8u * 8 * 1024 * kibibyte), Le(8u * 9 * 1024 * kibibyte)))
        << "one answer each";
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(client().ask(get("/hello")).status, 200);
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(1));
    server_.reset();  // before its budget
}

// The first request of one client holds the I/O thread until the other client's has arrived.
TEST_F(AnswersOfAServer, OfOthersComeBetweenThoseOfOneClient) {
    std::promise<void> has_begun;
    std::promise<void> goes_on;
    std::string order;
    const auto big = [&](const Request&, const Reply& reply) {
        if (order.empty()) {
            has_begun.set_value();
            goes_on.get_future().wait();
        }
        order += 'a';
        reply.json(200, std::string(64 * kibibyte, 'x'));
    };
    const auto small = [&](const Request&, const Reply& reply) {
        order += 'b';
        reply.json(200, order);
    };
    start({}, {route_for_tests("GET", "/big", big), route_for_tests("GET", "/small", small)});
    auto greedy = client();
    auto modest = client();
    EXPECT_EQ(modest.ask(get("/hello")).status, 200);
    std::string requests;
    for (int i = 0; i < 20; ++i) requests += get("/big");
    greedy.send(requests);
    has_begun.get_future().wait();
    modest.send(get("/small"));
    goes_on.set_value();
    EXPECT_LE(modest.answer().body.size(), 4u) << "after two or three of twenty";
    for (int i = 0; i < 20; ++i) EXPECT_EQ(greedy.answer().status, 200);
}

// One connection with many long queries takes two of the four workers.
TEST_F(AnswersOfAServer, ComeWhileAnotherClientHasManyQueries) {
    start({.query_queue_max = 4, .edge = {.query_workers = 4}});
    auto greedy = client();
    std::string requests;
    for (int i = 0; i < 64; ++i) requests += get("/hold-worker");
    greedy.send(requests);
    const auto held = held_.take(2);
    for (int i = 0; i < 8; ++i)
        EXPECT_EQ(client().ask(get("/echo/now")).body, "GET now ") << "the others go on";
    EXPECT_EQ(limit_reached("worker_queue"), 0);
    EXPECT_EQ(limit_reached("in_work"), 1);
    greedy.reset();
    open_gate();
}

}  // namespace
}  // namespace trackops::http
