// Streamed bodies and answers over sockets, and the classes of work.
#include <atomic>
#include <future>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/http/bulk_lines.hpp"
#include "platform/http/server_fixture.hpp"

namespace trackops::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view lines_head =
    "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n";

std::string chunk_of(std::string_view bytes) {
    return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
}

// Work that a test writes as a function.
class Steps final : public StreamWork {
public:
    explicit Steps(std::function<Next()> step) : step_(std::move(step)) {}
    Next step() override { return step_(); }

private:
    const std::function<Next()> step_;
};
using Next = StreamWork::Next;

class ServerStreams : public ServerTest {
protected:
    using Handle = std::function<void(const Request&, const Reply&)>;
    static Route streaming(std::string_view method, std::string_view pattern, Answer answer,
                           Handle handle) {
        Route route = route_for_tests(method, pattern, std::move(handle), Work::bulk);
        if (method == "POST") route.body = Body::ndjson_stream;
        route.answer = answer;
        return route;
    }
    static std::string begin(std::string_view path) {
        return "POST " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" +
               std::string(lines_head) + "\r\n";
    }
};

TEST_F(ServerStreams, AnswerLinesAsTheyCome) {
    start();
    auto client = this->client();
    client.send(begin("/lines") + chunk_of("a\nb"));
    EXPECT_EQ(client.head().status, 200);
    EXPECT_EQ(client.chunk(), "1 a\n") << "before the body has ended";
    client.send(chunk_of("c\n"));
    EXPECT_EQ(client.chunk(), "2 bc\n");
    client.send("0\r\n\r\n" + get("/hello"));
    EXPECT_EQ(client.chunk(), "");
    EXPECT_EQ(client.answer().status, 200) << "the connection goes on";
}

TEST_F(ServerStreams, CarryMoreThanTheyHold) {
    start({.body_stream = {.bytes_max = 64 * 1024}, .answer_stream_bytes_max = 64 * 1024});
    auto client = this->client();
    const std::string line(1000, 'x');
    constexpr int count = 20'000;
    std::thread sending([&] {
        client.send(begin("/lines"));
        for (int i = 0; i < count; ++i) client.send(chunk_of(line + "\n"));
        client.send("0\r\n\r\n");
    });
    const auto answer = client.answer();
    sending.join();
    EXPECT_EQ(std::ranges::count(answer.body, '\n'), count);
    EXPECT_THAT(answer.body, ::testing::EndsWith(fmt::format("\n{} {}\n", count, line)));
}

TEST_F(ServerStreams, ToldToAClientThatDoesNotReadHoldTheWorkBack) {
    constexpr std::size_t total = std::size_t{64} * 1024 * 1024;
    std::atomic<std::size_t> written = 0;
    std::atomic<bool> waits = false;
    const auto flood = [&](const Request&, const Reply& reply) {
        const std::shared_ptr answer = reply.begin({.content_type = "text/plain"});
        reply.run(std::make_unique<Steps>([&, answer] {
            waits = !answer->has_room();
            if (waits) return Next::later;
            const std::string piece(64 * 1024, 'x');
            EXPECT_TRUE(answer->write(piece));
            written += piece.size();
            if (written < total) return Next::again;
            answer->finish();
            return Next::done;
        }));
    };
    start({.answer_stream_bytes_max = 64 * 1024},
          {streaming("GET", "/flood", Answer::ndjson_stream, flood)});
    auto client = this->client();
    client.send(get("/flood"));
    wait_until([&] { return waits.load(); });
    EXPECT_LT(written, total);
    EXPECT_EQ(client.answer().body.size(), total) << "it goes on as the client reads";
}

TEST_F(ServerStreams, EndWithTheClient) {
    std::promise<Errc> read;
    std::promise<Errc> write;
    std::promise<void> has_begun;
    const auto both = [&](const Request&, const Reply& reply) {
        const std::shared_ptr answer = reply.begin({});
        EXPECT_TRUE(answer->write("x"));
        reply.run(std::make_unique<Steps>([&, reply, answer, has_read = false]() mutable {
            const auto taken = reply.body().take(1);
            if (taken && !taken->lines.empty()) has_begun.set_value();
            if (taken) return Next::later;
            if (!std::exchange(has_read, true)) read.set_value(taken.error().code);
            // The answer's stream ends a moment after the body's.
            const auto written = answer->write("y");
            if (written) return Next::again;
            write.set_value(written.error().code);
            return Next::done;
        }));
    };
    start({}, {streaming("POST", "/both", Answer::ndjson_stream, both)});
    auto client = this->client();
    client.send(begin("/both") + chunk_of("a\n"));
    has_begun.get_future().wait();
    client.reset();
    EXPECT_EQ(read.get_future().get(), Errc::unavailable);
    EXPECT_EQ(write.get_future().get(), Errc::unavailable);
}

// Many requests whose clients send and read nothing leave both workers to others.
TEST_F(ServerStreams, HoldNoWorkerWhileTheyWait) {
    start({.edge = {.bulk_workers = 1, .bulk_requests_max = 8}});
    std::vector<RawClient> slow;
    for (int i = 0; i < 7; ++i) {
        slow.push_back(client());
        slow.back().send(begin("/lines") + chunk_of("a\nb"));
        EXPECT_EQ(slow.back().head().status, 200);
        EXPECT_EQ(slow.back().chunk(), "1 a\n");
    }
    auto quick = this->client();
    for (int i = 0; i < 3; ++i) {
        quick.send(post("/lines", "a\n", "Content-Type: application/x-ndjson\r\n"));
        EXPECT_EQ(quick.answer().body, "1 a\n");
    }
    slow.push_back(client());
    slow.back().send(begin("/lines") + chunk_of("a\n"));
    EXPECT_EQ(slow.back().head().status, 200);
    EXPECT_EQ(client().ask(begin("/lines")).status, 503);
    EXPECT_EQ(limit_reached("bulk_requests"), 1);
    for (RawClient& client : slow) client.send(chunk_of("c\n") + "0\r\n\r\n");
    for (std::size_t i = 0; i < 7; ++i) {
        EXPECT_EQ(slow[i].chunk(), "2 bc\n");
        EXPECT_EQ(slow[i].chunk(), "");
    }
}

TEST_F(ServerStreams, TakeTurnsOnOneConnection) {
    start();
    auto client = this->client();
    const std::string lines = post("/lines", "a\n", "Content-Type: application/x-ndjson\r\n");
    client.send(lines + lines + lines + get("/hello"));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(client.answer().body, "1 a\n");
    EXPECT_EQ(client.answer().body, "{\"hello\":1}");
}

TEST_F(ServerStreams, TellAClientThatClosesItsSideTooEarly) {
    start();
    auto silent = this->client();
    silent.send(begin("/lines") + chunk_of("a"));
    silent.end();
    EXPECT_EQ(silent.answer().status, 400) << "no outcome has left, so it is a problem";
    auto client = this->client();
    client.send(begin("/lines") + chunk_of("a\nb"));
    EXPECT_EQ(client.head().status, 200);
    EXPECT_EQ(client.chunk(), "1 a\n");
    client.end();
    EXPECT_THAT(client.chunk().value_or(""),
                HasSubstr(R"({"status":400,"code":"malformed-request")"));
    EXPECT_EQ(client.chunk(), "");
    EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerStreams, TellASlowClientInTheLastLine) {
    start({.read_timeout = std::chrono::milliseconds(100)});
    auto client = this->client();
    client.send(begin("/lines") + chunk_of("a\nb"));
    EXPECT_EQ(client.head().status, 200);
    EXPECT_EQ(client.chunk(), "1 a\n");
    EXPECT_THAT(client.chunk().value_or(""),
                HasSubstr(R"({"status":408,"code":"request-timeout")"));
    EXPECT_EQ(client.chunk(), "");
    EXPECT_TRUE(client.is_closed());
    EXPECT_EQ(limit_reached("read_time"), 1);
}

TEST_F(ServerStreams, ShowThatAHandlerHasThrown) {
    const auto throwing = [](bool has_begun) {
        return [has_begun](const Request&, const Reply& reply) {
            const auto answer = reply.begin({});
            if (has_begun) (void)answer->write("x");
            throw std::runtime_error("secret table");
        };
    };
    start({},
          {streaming("GET", "/late", Answer::ndjson_stream, throwing(true)),
           streaming("GET", "/early", Answer::ndjson_stream, throwing(false)),
           streaming("GET", "/step", Answer::ndjson_stream, [](const Request&, const Reply& reply) {
               reply.run(std::make_unique<Steps>(
                   []() -> Next { throw std::runtime_error("secret table"); }));
           })});
    auto late = this->client();
    late.send(get("/late"));
    EXPECT_EQ(late.head().status, 200);
    EXPECT_EQ(late.chunk(), "x");
    EXPECT_EQ(late.chunk(), std::nullopt) << "not a whole answer";
    EXPECT_EQ(client().ask(get("/early")).status, 500);
    EXPECT_EQ(client().ask(get("/step")).status, 500);
}

// An event stream: the handler keeps its answer, and threads of its own write to it.
TEST_F(ServerStreams, OfEvents) {
    std::promise<std::unique_ptr<AnswerStream>> kept;
    Route events = streaming(
        "GET", "/events", Answer::event_stream, [&](const Request& request, const Reply& reply) {
            auto answer = reply.begin({.content_type = "text/event-stream"});
            const auto last = request.header("last-event-id").value_or("none");
            EXPECT_TRUE(answer->try_write(fmt::format(": after {}\n\n", last)));
            kept.set_value(std::move(answer));
        });
    events.work = Work::memory;
    start({.heartbeat = std::chrono::milliseconds(200)}, {events});
    auto client = this->client();
    client.send(get("/events", "Last-Event-ID: 41\r\n"));
    EXPECT_EQ(client.head().header("Content-Type"), "text/event-stream");
    EXPECT_EQ(client.chunk(), ": after 41\n\n");
    const auto answer = kept.get_future().get();
    EXPECT_TRUE(answer->try_write("id: 42\ndata: {}\n\n"));
    std::string seen = client.chunk().value_or("");
    if (seen == ": heartbeat\n\n") seen = client.chunk().value_or("");
    EXPECT_EQ(seen, "id: 42\ndata: {}\n\n");
    EXPECT_EQ(client.chunk(), ": heartbeat\n\n");
    EXPECT_EQ(client.chunk(), ": heartbeat\n\n");
    client.end();
    wait_until([&] { return !answer->try_write("data: 1\n\n"); });
}

TEST_F(ServerStreams, EndWithTheServer) {
    std::promise<void> has_begun;
    std::promise<Errc> read;
    const auto both = [&](const Request&, const Reply& reply) {
        reply.run(std::make_unique<Steps>([&, reply] {
            const auto taken = reply.body().take(1);
            if (taken && !taken->lines.empty()) has_begun.set_value();
            if (taken) return Next::later;
            read.set_value(taken.error().code);
            return Next::done;
        }));
    };
    start({}, {streaming("POST", "/both", Answer::ndjson_stream, both)});
    auto client = this->client();
    client.send(begin("/both") + chunk_of("a\n"));
    has_begun.get_future().wait();
    server_->drain(Duration::zero());
    EXPECT_EQ(read.get_future().get(), Errc::unavailable);
    server_.reset();
}

// Nothing is left of requests that wait for their clients for ever.
TEST_F(ServerStreams, AreLetGoWithTheServer) {
    std::atomic<int> begun = 0;
    std::atomic<int> alive = 0;
    const auto idle = [&](const Request&, const Reply& reply) {
        const std::shared_ptr<void> guard(nullptr, [&](void*) { --alive; });
        ++alive;
        reply.run(std::make_unique<Steps>([reply, guard, &begun] {
            ++begun;
            return Next::later;
        }));
    };
    start({}, {streaming("POST", "/idle", Answer::ndjson_stream, idle)});
    auto client = this->client();
    client.send(begin("/idle"));
    wait_until([&] { return begun > 0; });
    server_.reset();
    EXPECT_EQ(alive, 0);
}

// Four slow lists do not stop a bulk request, nor the other way round.
TEST_F(ServerStreams, HaveWorkersOfTheirOwn) {
    start({.query_queue_max = 1,
           .query_in_work_max = 3,
           .edge = {.query_workers = 1, .bulk_workers = 1, .bulk_requests_max = 2}},
          {streaming("POST", "/hold-bulk", Answer::ndjson_stream,
                     [this](const Request&, const Reply& reply) { wait_at_gate(reply); })});
    auto query = this->client();
    query.send(get("/hold-worker"));
    held_.take(1);
    query.send(get("/echo/waits"));
    auto bulk = this->client();
    bulk.send(post("/lines", "a\n", "Content-Type: application/x-ndjson\r\n"));
    EXPECT_EQ(bulk.answer().body, "1 a\n");
    open_gate();
    EXPECT_EQ(query.answer().status, 500);
    EXPECT_EQ(query.answer().body, "GET waits ");
    close_gate();
    bulk.send(post("/hold-bulk", "", "Content-Type: application/x-ndjson\r\n"));
    held_.take(1);
    std::vector<RawClient> waiting;
    while (limit_reached("bulk_requests") == 0) {  // one more may wait
        waiting.push_back(client());
        waiting.back().send(begin("/lines"));
    }
    EXPECT_EQ(client().ask(get("/echo/now")).body, "GET now ");
    open_gate();
    EXPECT_EQ(bulk.answer().status, 500);
}

}  // namespace
}  // namespace trackops::http
