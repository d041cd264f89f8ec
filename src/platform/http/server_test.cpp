#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "platform/http/server_fixture.hpp"
#include "platform/json/reader.hpp"

namespace trackops::http {
namespace {

TEST_F(ServerTest, AnswersWithAllThatWasPromised) {
    start();
    auto client = this->client();
    const auto answer = client.ask(get("/hello"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "{\"hello\":1}");
    EXPECT_EQ(answer.header("Content-Type"), "application/json");
    EXPECT_EQ(answer.header("Content-Length"), "11");
    EXPECT_EQ(answer.header("Date"), "Tue, 14 Nov 2023 22:13:20 GMT");
    EXPECT_EQ(answer.header("Cache-Control"), "no-store");
    EXPECT_EQ(answer.header("X-Correlation-ID").size(), 36u);
    EXPECT_EQ(answer.header("Connection"), "");
    clock_.advance(std::chrono::seconds(61));
    EXPECT_EQ(client.ask(get("/hello", "X-Correlation-ID: mine-1\r\n")).header("X-Correlation-ID"),
              "mine-1");
    const auto later = client.ask(get("/hello", "X-Correlation-ID: a b\r\n"));
    EXPECT_EQ(later.header("X-Correlation-ID").size(), 36u);
    EXPECT_EQ(later.header("Date"), "Tue, 14 Nov 2023 22:14:21 GMT");
}

TEST_F(ServerTest, GivenHeadersReplaceAndCannotBeginOthers) {
    start();
    const auto answer = client().ask(get("/header"));
    EXPECT_EQ(answer.status, 204);
    EXPECT_EQ(answer.header("Location"), "/a  Evil: 1");
    EXPECT_EQ(answer.header("Evil"), "");
    EXPECT_EQ(answer.header("Cache-Control"), "max-age=5");
    EXPECT_EQ(answer.header("Content-Length"), "");
    EXPECT_EQ(answer.header("Content-Type"), "");
}

TEST_F(ServerTest, ServesHeadForEveryGet) {
    start();
    auto client = this->client();
    const auto answer = client.ask("HEAD /hello HTTP/1.1\r\nHost: localhost\r\n\r\n", true);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("Content-Length"), "11");
    EXPECT_EQ(client.ask("HEAD /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", true).status, 404);
    EXPECT_EQ(client.ask(get("/hello")).body, "{\"hello\":1}");  // the HEAD response had no body
}

TEST_F(ServerTest, SpeaksHttp10) {
    start();
    {
        auto client = this->client();
        const auto answer = client.ask("GET /hello HTTP/1.0\r\n\r\n");
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.header("Connection"), "close");
        EXPECT_TRUE(client.is_closed());
    }
    auto client = this->client();
    EXPECT_EQ(
        client.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").header("Connection"),
        "keep-alive");
    EXPECT_EQ(client.ask("GET /hello HTTP/1.0\r\n\r\n").status, 200);
}

TEST_F(ServerTest, ClosesWhenAsked) {
    start();
    auto client = this->client();
    EXPECT_EQ(
        client.ask(get("/hello", "Connection: close\r\n") + get("/hello")).header("Connection"),
        "close");
    EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, AnswersAClientThatSendsNoMore) {
    start();
    auto client = this->client();
    client.send(get("/hold") + "GET /he");
    const auto replies = held_.take(1);
    client.end();
    replies[0].json(200, "late");
    EXPECT_EQ(client.answer().body, "late");
    EXPECT_TRUE(client.is_closed());
}

struct Refusal {
    std::string sent;
    int status;
    bool closes;
};

TEST_F(ServerTest, RefusesEachFaultWithItsProblem) {
    start();
    const std::string json = "Content-Type: application/json\r\n";
    for (const auto& [sent, status, closes] : {
             Refusal{"GARBAGE\r\n\r\n", 400, true},
             {"\x16\x03\x01\x02\x01\x01", 400, true},
             {"GET / HTTP/2.0\r\n\r\n", 400, true},
             {"GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, true},
             {"GET /hello HTTP/1.1\nHost: localhost\n\n", 400, true},
             {"GET /hello HTTP/1.1\r\n\r\n", 400, true},  // no Host header
             {"GET /hello HTTP/1.1\r\nHost: localhost\r\nHost: y\r\n\r\n", 400, true},
             {get("/hello", "Bad Name: 1\r\n"), 400, true},
             {get("/hello", "A: \x01\r\n"), 400, true},
             {get("/%ff"), 400, true},
             {get("/hello?a=%"), 400, true},
             {get("hello"), 400, true},
             {get("*"), 400, true},
             {"CONNECT host:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, true},
             {get("/hello", "Content-Length: +5\r\n"), 400, true},
             {get("/hello", "Content-Length: 5\r\nContent-Length: 6\r\n"), 400, true},
             {get("/hello", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400, true},
             {get("/hello", "Transfer-Encoding: gzip\r\n"), 400, true},
             {get("/hello", "Transfer-Encoding: gzip, chunked\r\n"), 400, true},
             {"POST /body HTTP/1.0\r\n" + json + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
              true},
             {"POST /body HTTP/1.1\r\nHost: localhost\r\n" + json +
                  "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
              400, true},
             {get("/nothing"), 404, false},
             {post("/nothing", "some body"), 404, false},
             {post("/hello", "some body"), 405, false},
             {"TRACE /hello HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, false},
             {"BREW /hello HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, false},
             {"OPTIONS /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, false},
             {"GET /hello HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, false},
             {"GET http://localhost:x/hello HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, true},
             {"GET http://evil.example/hello HTTP/1.1\r\nHost: localhost\r\n\r\n", 421, false},
             {"GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n", 400, true},
             {post("/optional", "{}", json + "Origin: http://evil.example\r\n"), 403, false},
             {post("/body", "{}", json + "Sec-Fetch-Site: cross-site\r\n"), 403, false},
             {post("/body", "{}", ""), 415, false},
             {post("/body", "", ""), 415, false},
             {post("/body", "{}", "Content-Type: text/plain\r\n"), 415, false},
             {post("/body", "{}", "Content-Type: application/json; charset=latin-1\r\n"), 415,
              false},
             {post("/body", "{}", json + "Content-Encoding: gzip\r\n"), 415, false},
             {post("/lines", "{}"), 415, false},
             {post("/optional", "{}", ""), 415, false},
             {post("/small", std::string(17, 'x')), 413, true},
             {"POST /small HTTP/1.1\r\nHost: localhost\r\n" + json +
                  "Transfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n8\r\n12345678\r\n",
              413, true},
             {get("/drop"), 500, false},
             {get("/throw"), 500, false},
             {get("/throw-worker"), 500, false},
         }) {
        auto client = this->client();
        const auto answer = client.ask(sent);
        EXPECT_EQ(answer.status, status) << sent;
        EXPECT_EQ(answer.header("Content-Type"), "application/problem+json") << sent;
        EXPECT_EQ(answer.header("X-Correlation-ID").size(), 36u) << sent;
        EXPECT_EQ(answer.header("Allow"), status == 405 ? "GET, HEAD, OPTIONS" : "") << sent;
        EXPECT_EQ(answer.header("Connection"), closes ? "close" : "") << sent;
        EXPECT_EQ(answer.body.find("secret"), std::string::npos);
        const auto body = json::Document::parse(answer.body);
        ASSERT_TRUE(body) << sent << answer.body;
        EXPECT_EQ(body->root().find("status")->integer(), status) << sent;
        EXPECT_EQ(body->root().find("traceId")->text()->size(), 32u) << sent;
        if (closes) {
            EXPECT_TRUE(client.is_closed()) << sent;
        } else {
            EXPECT_EQ(client.ask(get("/hello")).status, 200) << sent;
        }
    }
}

TEST_F(ServerTest, TakesWhatIsRight) {
    start();
    auto client = this->client();
    EXPECT_EQ(
        client.ask(post("/body", "{}", "Content-Type: Application/JSON;  charset=\"UTF-8\"\r\n"))
            .body,
        "{}");
    EXPECT_EQ(
        client.ask(post("/lines", "{}\n", "Content-Type: application/x-ndjson; x=y\r\n")).body,
        "1 {}\n");
    EXPECT_EQ(client.ask(post("/optional", "", "")).status, 201);
    EXPECT_EQ(client.ask(post("/optional", "{}")).body, "{}");
    EXPECT_EQ(client.ask("\r\n\r\n" + get("/echo/a%2Fb%20c", "Content-Length: 2\r\n") + "xy").body,
              "GET a/b c ");
    EXPECT_EQ(
        client.ask("DELETE /echo/z HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nxy")
            .body,
        "DELETE z xy");
    EXPECT_EQ(
        client.ask("GET http://localhost/hello HTTP/1.1\r\nHost: evil.example\r\n\r\n").status,
        200);
    EXPECT_EQ(client
                  .ask("POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                       "application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n")
                  .body,
              "abc0123456789");
}

TEST_F(ServerTest, TakesAPathWithASlashAtItsEnd) {
    start();
    auto client = this->client();
    EXPECT_EQ(client.ask(get("/hello/?")).body, "{\"hello\":1}");
    EXPECT_EQ(client.ask(get("/echo/a%2F/")).body, "GET a/ ");
    EXPECT_EQ(client.ask(get("/hello//")).status, 404);
    EXPECT_EQ(client.ask(get("//")).status, 404);
}

TEST_F(ServerTest, TellsWhichMethodsAPathTakes) {
    start();
    auto client = this->client();
    const auto asked = client.ask("OPTIONS /echo/x HTTP/1.1\r\nHost: localhost\r\n\r\n", true);
    EXPECT_EQ(asked.status, 204);
    EXPECT_EQ(asked.header("Allow"), "GET, HEAD, DELETE, OPTIONS");
    EXPECT_EQ(asked.header("Content-Length"), "");
    const auto of_all = client.ask("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", true);
    EXPECT_EQ(of_all.status, 204);
    EXPECT_EQ(of_all.header("Allow"), "GET, HEAD, DELETE, POST, OPTIONS");
    EXPECT_EQ(client.ask("OPTIONS /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 404);
}

TEST_F(ServerTest, TakesAChunkedBodyWithoutBytesForNone) {
    start();
    auto client = this->client();
    const std::string head = " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(client.ask("POST /optional" + head + "0\r\n\r\n").status, 201);
    EXPECT_EQ(client.ask("POST /optional" + head + "2\r\n{}\r\n0\r\n\r\n").status, 415);
    EXPECT_EQ(client.ask("POST /body" + head + "0\r\n\r\n").status, 415);
}

TEST_F(ServerTest, EvaluatesThePreconditionsOfAReader) {
    start();
    auto client = this->client();
    const auto unchanged = client.ask(get("/tagged", "If-None-Match: W/\"1\", \"3\"\r\n"), true);
    EXPECT_EQ(unchanged.status, 304);
    EXPECT_EQ(unchanged.header("ETag"), "\"3\"");
    EXPECT_EQ(unchanged.header("Content-Type"), "");
    EXPECT_EQ(client.ask(get("/tagged", "If-None-Match: \"4\"\r\n")).body, "tagged");
    EXPECT_EQ(client.ask(get("/tagged", "If-Match: \"4\"\r\n")).status, 412);
}

TEST_F(ServerTest, TakesARequestByteForByte) {
    start();
    auto client = this->client();
    const std::string request = get("/hello") + post("/body", "{\"a\":1}") +
                                "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                                "application/json\r\nTransfer-Encoding: "
                                "chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n";
    for (const char c : request) client.send({&c, 1});
    EXPECT_EQ(client.answer().body, "{\"hello\":1}");
    EXPECT_EQ(client.answer().body, "{\"a\":1}");
    EXPECT_EQ(client.answer().body, "abcde");
}

TEST_F(ServerTest, SaysContinueWhenTheBodyWaitsForIt) {
    start();
    auto client = this->client();
    const std::string head =
        "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        "application/json\r\nContent-Length: "
        "2\r\nExpect: 100-continue\r\n\r\n";
    EXPECT_EQ(client.ask(head).status, 100);
    EXPECT_EQ(client.ask("{}").body, "{}");
    EXPECT_EQ(client.ask(head + "[]").body, "[]");  // the client did not wait, so there is no 100
    const auto refused = client.ask(
        "POST /none HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: "
        "100-continue\r\n\r\n");
    EXPECT_EQ(refused.status, 404);
    EXPECT_TRUE(client.is_closed());
    auto other = this->client();
    EXPECT_EQ(other
                  .ask("POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                       "application/json\r\nContent-Length: 17\r\nExpect: 100-continue\r\n\r\n")
                  .status,
              413);
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrderWhateverOrderTheyAreDoneIn) {
    start();
    auto client = this->client();
    std::string requests;
    for (int i = 0; i < 20; ++i) requests += get("/hold?number=" + std::to_string(i));
    client.send(requests + get("/hello"));
    auto replies = held_.take(20);
    std::thread([&] {
        for (auto reply = replies.rbegin(); reply != replies.rend(); ++reply)
            reply->json(200, std::string(*reply->request().query_value("number")));
    }).join();
    for (int i = 0; i < 20; ++i) EXPECT_EQ(client.answer().body, std::to_string(i));
    EXPECT_EQ(client.answer().body, "{\"hello\":1}");
}

TEST_F(ServerTest, HandlesNoMorePipelinedRequestsThanItMayAtOnce) {
    start({.edge = {.pipelined_max = 4}});
    auto client = this->client();
    std::string requests;
    for (int i = 0; i < 100; ++i) requests += get("/hold?number=" + std::to_string(i));
    client.send(requests);
    int next = 0;
    while (next < 100) {
        const auto replies = held_.take(4);
        EXPECT_EQ(replies.size(), 4u);
        for (const auto& reply : replies)
            reply.json(200, std::string(*reply.request().query_value("number")));
        for (int i = 0; i < 4; ++i) EXPECT_EQ(client.answer().body, std::to_string(next++));
    }
    EXPECT_GE(limit_reached("pipelined"), 1);
}

// Without an immediate answer each round would wait for the next sweep, one second away.
TEST_F(ServerTest, AnswersAtOnceWhatWaitedForRoom) {
    start({.edge = {.pipelined_max = 4}});
    auto client = this->client();
    std::string requests;
    for (int i = 0; i < 4; ++i) requests += get("/nothing");
    requests += get("/hello");
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (int round = 0; round < 40; ++round) {
        client.send(requests);
        for (int i = 0; i < 4; ++i) EXPECT_EQ(client.answer().status, 404);
        EXPECT_EQ(client.answer().body, "{\"hello\":1}");
        ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "in round " << round;
    }
}

TEST_F(ServerTest, ServesManyConnectionsAtOnce) {
    start();
    std::vector<std::thread> clients;
    std::atomic<int> right = 0;
    for (int c = 0; c < 32; ++c) {
        clients.emplace_back([&, c] {
            auto client = this->client();
            for (int i = 0; i < 50; ++i) {
                const std::string text = std::to_string(c * 100 + i);
                if (client.ask(get("/echo/" + text)).body == "GET " + text + " ") ++right;
            }
        });
    }
    for (auto& thread : clients) thread.join();
    EXPECT_EQ(right, 32 * 50);
    wait_until([&] { return metrics_.gauge("http_server_connections", "").value() == 0; });
}

TEST_F(ServerTest, OutlivesAClientThatLeavesBeforeItsAnswer) {
    start();
    auto leaver = client();
    leaver.send(get("/hold"));
    const auto replies = held_.take(1);
    leaver.reset();
    wait_until([&] { return metrics_.gauge("http_server_connections", "").value() == 0; });
    replies[0].json(200, "nobody is there");
    wait_until([&] { return counted("http_server_unsent_answers_total") == 1; });
    EXPECT_EQ(client().ask(get("/hello")).status, 200);
}

TEST_F(ServerTest, TakesTheFirstAnswerOfTwo) {
    start();
    auto client = this->client();
    EXPECT_EQ(client.ask(get("/twice")).body, "first");
    EXPECT_EQ(client.ask(get("/hello")).body, "{\"hello\":1}");
}

TEST_F(ServerTest, SendsWhatIsLargerThanASocketTakes) {
    start();
    auto client = this->client();
    client.send(get("/large") + get("/hello"));
    EXPECT_EQ(client.answer().body.size(), 8u * 1024 * 1024);
    EXPECT_EQ(client.answer().body, "{\"hello\":1}");
}

// The second request waits until the first answer has left, and no more bytes come after it.
TEST_F(ServerTest, TakesWhatWaitedForRoomAfterAnAnswerThatIsLargerThanASocketTakes) {
    start({.edge = {.pipelined_max = 1}});
    auto client = this->client();
    client.send(get("/large") + get("/hello"));
    EXPECT_EQ(client.answer().body.size(), 8u * 1024 * 1024);
    EXPECT_EQ(client.answer().body, "{\"hello\":1}");
}

TEST_F(ServerTest, CountsByRouteMethodAndStatus) {
    start();
    auto client = this->client();
    client.ask(get("/echo/1"));
    client.ask(get("/echo/2"));
    client.ask("HEAD /hello HTTP/1.1\r\nHost: localhost\r\n\r\n", true);
    client.ask(get("/nothing"));
    client.ask("BREW /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const std::string text = metrics_.prometheus_text();
    for (
        const auto* line :
        {R"(http_server_requests_seconds_count{exception="None",method="GET",outcome="SUCCESS",status="200",uri="/echo/{text}"} 2)",
         R"(http_server_requests_seconds_count{exception="None",method="HEAD",outcome="SUCCESS",status="200",uri="/hello"} 1)",
         R"(http_server_requests_seconds_count{exception="None",method="GET",outcome="CLIENT_ERROR",status="404",uri="UNKNOWN"} 1)",
         R"(http_server_requests_seconds_count{exception="None",method="OTHER",outcome="CLIENT_ERROR",status="405",uri="UNKNOWN"} 1)"}) {
        EXPECT_NE(text.find(line), std::string::npos) << line << text;
    }
}

// Calls connect() or bind() of a new socket on the loopback address; whether that worked.
template <class Call>
bool works_on_loopback(Call call, int family, std::uint16_t port) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_addr = in6addr_loopback;
    const int socket = ::socket(family, SOCK_STREAM, 0);
    const bool works = family == AF_INET
                           ? call(socket, reinterpret_cast<const sockaddr*>(&v4), sizeof v4) == 0
                           : call(socket, reinterpret_cast<const sockaddr*>(&v6), sizeof v6) == 0;
    ::close(socket);
    return works;
}

// Clients that resolve localhost may try ::1 first.
TEST_F(ServerTest, ListensOnBothLoopbacksAsLocalhost) {
    start({.address = "localhost"});
    const std::uint16_t port = server_->port();
    EXPECT_TRUE(works_on_loopback(::connect, AF_INET, port));
    EXPECT_EQ(works_on_loopback(::connect, AF_INET6, port), works_on_loopback(::bind, AF_INET6, 0));
    server_->drain(Duration(0));
    EXPECT_FALSE(works_on_loopback(::connect, AF_INET, port));
    EXPECT_FALSE(works_on_loopback(::connect, AF_INET6, port));
}

TEST_F(ServerTest, SaysWhichAddressCouldNotBeBound) {
    start();
    auto other = make_server({.port = server_->port()}, {}, clock_, ids_, metrics_);
    try {
        other->start();
        ADD_FAILURE() << "two servers on one port";
    } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string(error.what()).find("127.0.0.1:" + std::to_string(server_->port())),
                  std::string::npos)
            << error.what();
    }
}

}  // namespace
}  // namespace trackops::http
