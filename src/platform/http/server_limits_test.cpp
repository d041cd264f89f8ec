#include <thread>

#include "platform/http/server_fixture.hpp"

namespace trackops::http {
namespace {

TEST_F(ServerTest, TakesAHeaderOfExactlyTheLimit) {
    start({.header_bytes_max = 1000});
    const std::size_t rest = 1000 - get("/hello", "A: \r\n").size();
    for (const bool in_pieces : {false, true}) {
        for (const std::size_t over : {0u, 1u}) {
            auto client = this->client();
            const std::string request =
                get("/hello", "A: " + std::string(rest + over, 'x') + "\r\n");
            ASSERT_EQ(request.size(), 1000 + over);
            if (in_pieces) {
                for (const char c : request) client.send({&c, 1});
            } else {
                client.send(request);
            }
            EXPECT_EQ(client.answer().status, over == 0 ? 200 : 431);
        }
    }
    auto client = this->client();
    // The refusal comes before the end of the line.
    EXPECT_EQ(client.ask("GET /" + std::string(5000, 'x')).status, 431);
    EXPECT_TRUE(client.is_closed());
    EXPECT_EQ(limit_reached("header_bytes"), 3);
}

TEST_F(ServerTest, TakesABodyOfExactlyTheLimit) {
    start({.body_bytes_max = 100'000});
    for (const auto* path : {"/small", "/body"}) {
        const std::size_t limit = path == std::string("/small") ? 16 : 100'000;
        EXPECT_EQ(client().ask(post(path, std::string(limit, 'x'))).body, std::string(limit, 'x'));
        EXPECT_EQ(client().ask(post(path, std::string(limit + 1, 'x'))).status, 413);
        const auto head =
            "POST " + std::string(path) +
            " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ";
        // The client has not sent the body.
        EXPECT_EQ(client().ask(head + std::to_string(limit + 1) + "\r\n\r\n").status, 413);
        EXPECT_EQ(client().ask(head + "18446744073709551615\r\n\r\n").status, 413);
    }
    EXPECT_EQ(client().ask(get("/hello", "Content-Length: 100001\r\n")).status, 413);
    EXPECT_EQ(limit_reached("body_bytes"), 7);
}

TEST_F(ServerTest, TheAnswerToATooLargeBodyReachesAClientThatGoesOnSending) {
    start({.body_bytes_max = 1000});
    auto client = this->client();
    client.send(post("/body", std::string(600'000, 'x')));
    client.end();
    EXPECT_EQ(client.answer().status, 413);
    EXPECT_TRUE(client.ends_without_reset());
}

TEST_F(ServerTest, TellsAClientThatItWasTooSlow) {
    start({.read_timeout = std::chrono::milliseconds(50)});
    for (const auto& begun : {std::string("G"), std::string("GET /hello HTTP/1.1\r\nHo"),
                              post("/body", "{}").substr(0, post("/body", "{}").size() - 1)}) {
        auto client = this->client();
        const auto answer = client.ask(begun);
        EXPECT_EQ(answer.status, 408) << begun;
        EXPECT_EQ(answer.header("Connection"), "close");
        EXPECT_TRUE(client.is_closed());
    }
    EXPECT_EQ(limit_reached("read_time"), 3);
}

TEST_F(ServerTest, WaitsForAHandlerAsLongAsItTakes) {
    start({.read_timeout = std::chrono::milliseconds(20),
           .edge = {.idle_timeout = std::chrono::milliseconds(500)}});
    auto patient = client();
    patient.send(get("/hold"));
    const auto replies = held_.take(1);
    ASSERT_EQ(replies.size(), 1);
    auto idle = client();
    EXPECT_TRUE(idle.is_closed());  // the timers have run
    replies[0].json(200, "at last");
    EXPECT_EQ(patient.answer().body, "at last");
}

TEST_F(ServerTest, ClosesAConnectionThatIdles) {
    start({.edge = {.idle_timeout = std::chrono::milliseconds(500)}});
    auto silent = client();
    auto client = this->client();
    EXPECT_EQ(client.ask(get("/hello")).status, 200);
    EXPECT_TRUE(client.is_closed());
    EXPECT_TRUE(silent.is_closed());
    EXPECT_EQ(limit_reached("idle_time"), 2);
}

TEST_F(ServerTest, ClosesAConnectionThatDoesNotRead) {
    start({.write_timeout = std::chrono::milliseconds(50)});
    auto client = this->client();
    client.shrink_window();
    client.send(get("/large"));
    wait_until([&] { return limit_reached("write_time") == 1; });
    wait_until([&] { return metrics_.gauge("http_server_connections", "").value() == 0; });
    client.reset();
}

TEST_F(ServerTest, TurnsAwayMoreConnectionsThanItMayHave) {
    // Both clients are on loopback, for which there is no share.
    start({.edge = {.connections_max = 2, .connections_per_address_max = 1}});
    auto first = client();
    auto second = client();
    EXPECT_EQ(first.ask(get("/hello")).status, 200);
    EXPECT_EQ(second.ask(get("/hello")).status, 200);
    auto third = client();
    third.send(get("/hello"));
    const auto answer = third.answer();
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.header("Retry-After"), "1");
    EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
    EXPECT_TRUE(third.is_closed());
    EXPECT_EQ(first.ask(get("/hello")).status, 200);
    EXPECT_EQ(limit_reached("connections"), 1);
}

TEST_F(ServerTest, TurnsAwayMoreWorkThanItsQueueTakes) {
    start({.workers = 1, .worker_queue_max = 2});
    auto client = this->client();
    client.send(get("/hold-worker"));
    const auto held = held_.take(1);  // keeps the only worker busy
    client.send(get("/echo/1") + get("/echo/2") + get("/echo/3"));
    wait_until([&] { return limit_reached("worker_queue") == 1; });
    open_gate();
    held[0].json(200, "held");
    EXPECT_EQ(client.answer().body, "held");
    EXPECT_EQ(client.answer().body, "GET 1 ");
    EXPECT_EQ(client.answer().body, "GET 2 ");
    const auto refused = client.answer();
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.header("Retry-After"), "1");
}

TEST_F(ServerTest, DrainAnswersWhatIsUnderWayAndRefusesTheRest) {
    start();
    auto idle = client();
    EXPECT_EQ(idle.ask(get("/hello")).status, 200);
    auto busy = client();
    busy.send(get("/hold") + get("/hold") + "GET /hello HTTP/1.1\r\n");
    const auto replies = held_.take(2);
    std::thread draining([&] { server_->drain(std::chrono::seconds(20)); });
    EXPECT_TRUE(idle.is_closed());  // at once, while other requests are in progress
    EXPECT_THROW(client(), std::runtime_error);
    replies[0].json(200, "first");
    EXPECT_EQ(busy.answer().header("Connection"), "");
    replies[1].json(200, "second");
    EXPECT_EQ(busy.answer().header("Connection"), "");
    // The third request had begun to arrive.
    EXPECT_EQ(busy.ask("Host: localhost\r\n\r\n").header("Connection"), "close");
    EXPECT_TRUE(busy.is_closed());
    draining.join();
}

TEST_F(ServerTest, DrainWaitsNoLongerThanItMay) {
    start();
    auto client = this->client();
    client.send(get("/hold"));
    const auto replies = held_.take(1);
    server_->drain(std::chrono::milliseconds(20));
    EXPECT_EQ(client.answer().status, 0);
    replies[0].json(200, "too late");
    server_->drain(std::chrono::seconds(20));  // a second drain has nothing to wait for
}

TEST_F(ServerTest, RepliesMayOutliveTheServer) {
    start();
    auto client = this->client();
    client.send(get("/hold") + get("/hold"));
    auto replies = held_.take(2);
    server_.reset();
    replies[0].json(200, "too late");
    replies.clear();
    EXPECT_EQ(client.answer().status, 0);
}

}  // namespace
}  // namespace trackops::http
