// Handlers that do not answer in time.
#include <atomic>
#include <future>

#include <gmock/gmock.h>

#include "platform/http/server_fixture.hpp"

namespace trackops::http {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class AnswerTime : public ServerTest {
protected:
    // GET and POST /hold keep their replies; GET and POST /stuck stand still on the only worker.
    void start_with(Duration answer_timeout) {
        const auto hold = [this](const Request&, const Reply& reply) { held_.hold(reply); };
        const auto stuck = [this](const Request&, const Reply& reply) {
            ++begun_;
            thawed_.wait();
            reply.json(200, "late");
        };
        server_ = make_server(
            {.edge = {.query_workers = 1, .answer_timeout = answer_timeout}},
            {route_for_tests("GET", "/hold", hold), route_for_tests("POST", "/hold", hold),
             route_for_tests("GET", "/stuck", stuck, Work::query),
             route_for_tests("POST", "/stuck", stuck, Work::query)},
            clock_, ids_, metrics_);
        server_->start();
    }
    void TearDown() override {
        thaw_.set_value();
        server_.reset();  // its worker uses the members below
    }
    double late() { return counted("http_server_late_answers_total"); }

    std::promise<void> thaw_;
    std::shared_future<void> thawed_ = thaw_.get_future().share();
    std::atomic<int> begun_ = 0;
};

TEST_F(AnswerTime, EndsWith503AndDropsTheLateAnswer) {
    start_with(milliseconds(100));
    auto client = this->client();
    const auto answer = client.ask(get("/hold"));
    EXPECT_EQ(answer.status, 503);
    EXPECT_THAT(answer.body, HasSubstr(R"("code":"unavailable")"));
    EXPECT_EQ(answer.header("Retry-After"), "2");
    EXPECT_EQ(limit_reached("answer_time"), 1);
    EXPECT_EQ(late(), 0);
    held_.take(1)[0].json(200, "late");
    EXPECT_EQ(late(), 1);
    // The connection goes on.
    client.send(get("/hold"));
    held_.take(1)[0].json(200, "in time");
    EXPECT_EQ(client.answer().body, "in time");
    EXPECT_EQ(late(), 1);
}

TEST_F(AnswerTime, LeavesTheOutcomeOfAnUnsafeMethodOpen) {
    start_with(milliseconds(100));
    const auto answer = client().ask(post("/hold", "{}"));
    EXPECT_EQ(answer.status, 503);
    EXPECT_THAT(answer.body, HasSubstr(R"("code":"outcome-unknown")"));
    EXPECT_EQ(answer.header("Retry-After"), "1");
    held_.take(1);  // let go of unanswered: nobody is told a second time
    EXPECT_EQ(late(), 0);
}

TEST_F(AnswerTime, EndsWithTheAnswerThatIsTrueAlready) {
    start_with(milliseconds(100));
    auto client = this->client();
    client.send(post("/hold", "{}") + post("/hold", "{}"));
    const auto replies = held_.take(2);
    replies[0].known({.status = 201, .body = "placed"});
    replies[1].known({.status = 201, .body = "placed"});
    replies[1].json(201, "confirmed");
    const auto known = client.answer();
    EXPECT_EQ(known.status, 201);
    EXPECT_EQ(known.body, "placed");
    EXPECT_EQ(client.answer().body, "confirmed");
    EXPECT_EQ(limit_reached("answer_time"), 1);
    replies[0].json(201, "confirmed");
    EXPECT_EQ(late(), 1);
}

// The only worker stands still with the first request. The second one has had no effect, and gets
// none after its answer.
TEST_F(AnswerTime, NeverRunsAHandlerWhoseRequestHasExpiredInTheQueue) {
    start_with(milliseconds(200));
    auto first = client();
    first.send(post("/stuck", "{}"));
    wait_until([&] { return begun_ == 1; });
    const auto queued = client().ask(post("/stuck", "{}"));
    EXPECT_THAT(queued.body, HasSubstr(R"("code":"unavailable")"));
    EXPECT_THAT(first.answer().body, HasSubstr(R"("code":"outcome-unknown")"));
    thaw_.set_value();
    thaw_ = {};
    wait_until([&] { return late() == 1; });
    EXPECT_EQ(client().ask(get("/stuck")).body, "late");  // the worker is free again
    EXPECT_EQ(begun_, 2);
}

TEST_F(AnswerTime, CountsForEachRequestOfAConnection) {
    start_with(milliseconds(100));
    auto client = this->client();
    client.send(get("/hold") + get("/hold") + get("/hold"));
    auto replies = held_.take(3);
    replies[1].json(200, "second");
    EXPECT_EQ(client.answer().status, 503);
    EXPECT_EQ(client.answer().body, "second");
    EXPECT_EQ(client.answer().status, 503);
    EXPECT_EQ(limit_reached("answer_time"), 2);
}

TEST_F(AnswerTime, GivesADrainAnEnd) {
    start_with(milliseconds(100));
    auto client = this->client();
    client.send(get("/hold"));
    const auto replies = held_.take(1);
    const auto began = std::chrono::steady_clock::now();
    server_->drain(std::chrono::seconds(20));
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(15));
    EXPECT_EQ(client.answer().status, 503);
}

}  // namespace
}  // namespace trackops::http
