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
    start({.query_queue_max = 2, .query_in_work_max = 4, .edge = {.query_workers = 1}});
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

TEST_F(ServerTest, TakesNoBodyForWhichThereIsNoMemory) {
    runtime::Budget budget(200'000, metrics_);
    start({.budget = &budget});
    auto first = client();
    const std::string head =
        "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        "application/json\r\nContent-Length: ";
    first.send(head + "150000\r\n\r\n" + std::string(149'999, 'x'));
    wait_until([&] { return budget.used() == 149'999; });
    EXPECT_EQ(client().ask(head + "1000000000\r\n\r\n").status, 413) << "never, so no 503";
    // Refused before it has sent the body.
    const auto refused = client().ask(head + "100000\r\n\r\n");
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.header("Retry-After"), "1");
    EXPECT_EQ(refused.header("Connection"), "close");
    // Refused as it arrives, since nothing told its size.
    auto chunked = client();
    chunked.send(
        "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        "application/json\r\nTransfer-Encoding: "
        "chunked\r\n\r\n");
    const std::string chunk = "2710\r\n" + std::string(10'000, 'x') + "\r\n";
    for (int i = 0; i < 6; ++i) chunked.send(chunk);
    EXPECT_EQ(chunked.answer().status, 503);
    EXPECT_EQ(budget.used(), 149'999u) << "a refused body takes nothing";
    EXPECT_EQ(client().ask(post("/body", "{}")).status, 201) << "small ones go on";
    EXPECT_EQ(first.ask("x").status, 201);
    wait_until([&] { return budget.used() == 0; });
    EXPECT_EQ(counted("trackops_budget_refused_total", {{"use", "bodies"}}), 2);
    first.send(head + "150000\r\n\r\n" + std::string(100'000, 'x'));
    wait_until([&] { return budget.used() > 0; });
    first.reset();
    wait_until([&] { return budget.used() == 0; });
}

TEST_F(ServerTest, TakesNoStreamForWhichThereIsNoMemory) {
    runtime::Budget budget(100'000, metrics_);
    start({.body_stream = {.bytes_max = 30'000},
           .answer_stream_bytes_max = 10'000,
           .budget = &budget});
    auto first = client();
    first.send(
        "POST /lines HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
        "Transfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n");
    EXPECT_EQ(first.head().status, 200);
    EXPECT_EQ(budget.used(), 70'000u);
    const auto lines = post("/lines", "a\n", "Content-Type: application/x-ndjson\r\n");
    EXPECT_EQ(client().ask(lines).status, 503);
    first.reset();
    wait_until([&] { return budget.used() == 0; });
    EXPECT_EQ(client().ask(lines).status, 200);
}

// The I/O thread does not read a large body, so others are answered meanwhile.
TEST_F(ServerTest, HandlesALargeBodyOnAWorker) {
    std::mutex mutex;
    std::vector<std::thread::id> threads;
    const auto where = [&](const Request&, const Reply& reply) {
        std::unique_lock lock(mutex);
        threads.push_back(std::this_thread::get_id());
        const bool is_second = threads.size() == 2;
        lock.unlock();
        if (is_second) return wait_at_gate(reply);
        reply.json(200, "{}");
    };
    start({.io_body_bytes_max = 10}, {route_for_tests("POST", "/where", where)});
    auto client = this->client();
    EXPECT_EQ(client.ask(post("/where", "0123456789")).status, 200);
    client.send(post("/where", "0123456789a"));
    const auto held = held_.take(1);
    EXPECT_EQ(this->client().ask(get("/hello")).status, 200) << "the I/O thread is free";
    EXPECT_EQ(this->client().ask(get("/echo/x")).status, 200) << "and so are the others";
    open_gate();
    held[0].json(200, "large");
    EXPECT_EQ(client.answer().body, "large");
    EXPECT_EQ(client.ask(post("/where", "0123456789")).status, 200);
    const std::lock_guard lock(mutex);
    ASSERT_EQ(threads.size(), 3u);
    EXPECT_EQ(threads[0], threads[2]);
    EXPECT_NE(threads[0], threads[1]);
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
