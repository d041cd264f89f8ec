// Test fixture: a server with a few routes that a test can control.
#pragma once
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "platform/http/bulk_lines.hpp"
#include "platform/http/raw_client.hpp"
#include "platform/http/route_for_tests.hpp"
#include "platform/http/server.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/fakes.hpp"

namespace trackops::http {

// Replies that a handler keeps for the test to complete.
class HeldReplies {
public:
    void hold(Reply reply) {
        const std::lock_guard lock(mutex_);
        replies_.push_back(std::move(reply));
        more_.notify_all();
    }
    // Waits until `count` replies are held and returns all held ones.
    std::vector<Reply> take(std::size_t count) {
        std::unique_lock lock(mutex_);
        if (!more_.wait_for(lock, std::chrono::seconds(20),
                            [&] { return replies_.size() >= count; }))
            ADD_FAILURE() << "too few requests came";
        return std::exchange(replies_, {});
    }

private:
    std::mutex mutex_;
    std::condition_variable more_;
    std::vector<Reply> replies_;
};

class ServerTest : public ::testing::Test {
protected:
    // GET /hello, /tagged (with ETag "3"), /hold, /hold-worker, /echo/{text}, /drop, /throw,
    // /twice; DELETE /echo/{text}; POST /body, /optional, /small (16 bytes).
    void start(ServerOptions options = {}, std::vector<Route> more = {}) {
        std::vector<Route> all = routes();
        std::ranges::move(more, std::back_inserter(all));
        server_ = make_server(std::move(options), std::move(all), clock_, ids_, metrics_);
        server_->start();
    }
    RawClient client() { return RawClient(server_->port()); }

    static std::string get(std::string_view path, std::string_view headers = "") {
        return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" +
               std::string(headers) + "\r\n";
    }
    static std::string post(std::string_view path, std::string_view body,
                            std::string_view headers = "Content-Type: application/json\r\n") {
        return "POST " + std::string(path) +
               " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n" + std::string(headers) + "\r\n" + std::string(body);
    }
    // Polls the condition until it holds, for 20 seconds at most.
    template <class Condition>
    static void wait_until(Condition holds) {
        for (int i = 0; i < 20'000; ++i) {
            if (holds()) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        ADD_FAILURE() << "it never came to hold";
    }
    double counted(const std::string& name, const telemetry::Labels& labels = {}) {
        return metrics_.counter(name, "", labels).value();
    }
    double limit_reached(const std::string& limit) {
        return counted("http_server_limit_reached_total", {{"limit", limit}});
    }

    trackops::testing::FakeClock clock_;
    trackops::testing::SeededIds ids_;
    telemetry::Registry metrics_;
    HeldReplies held_;
    std::unique_ptr<Server> server_;

private:
    std::vector<Route> routes() {
        const auto hold = [this](const Request&, const Reply& reply) { held_.hold(reply); };
        const auto echo = [](const Request& request, const Reply& reply) {
            reply.json(200, request.method + ' ' + std::string(request.param("text")) + ' ' +
                                request.body);
        };
        const auto body = [](const Request& request, const Reply& reply) {
            reply.json(201, request.body);
        };
        Route small = route_for_tests("POST", "/small", body);
        small.body_bytes_max = 16;
        // Answers the lines that have arrived, each with its number.
        Route lines = route_for_tests(
            "POST", "/lines",
            [](const Request&, const Reply& reply) {
                serve_lines(reply, ErrorPolicy::ignore, 100,
                            [](std::span<const BodyLine> arrived, std::string& answer) {
                                for (const BodyLine& line : arrived)
                                    answer += std::to_string(line.number) + ' ' + line.text + '\n';
                                return true;
                            });
            },
            Work::bulk);
        lines.body = Body::ndjson_stream;
        lines.answer = Answer::ndjson_stream;
        Route optional = route_for_tests("POST", "/optional", body);
        optional.body_optional = true;
        return {
            route_for_tests(
                "GET", "/hello",
                [](const Request&, const Reply& reply) { reply.json(200, "{\"hello\":1}"); }),
            route_for_tests("GET", "/tagged",
                            [](const Request&, const Reply& reply) {
                                reply.send({.body = "tagged", .headers = {{"ETag", "\"3\""}}});
                            }),
            route_for_tests("GET", "/hold", hold),
            route_for_tests(
                "GET", "/hold-worker",
                [this](const Request&, const Reply& reply) { wait_at_gate(reply); }, Work::query),
            route_for_tests("GET", "/echo/{text}", echo, Work::query),
            route_for_tests("DELETE", "/echo/{text}", echo),
            route_for_tests(
                "GET", "/drop", [](const Request&, const Reply&) {}, Work::query),
            route_for_tests(
                "GET", "/throw",
                [](const Request&, const Reply&) { throw std::runtime_error("secret table"); }),
            route_for_tests(
                "GET", "/throw-worker",
                [](const Request&, const Reply&) { throw std::runtime_error("secret table"); },
                Work::query),
            route_for_tests("GET", "/twice",
                            [](const Request&, const Reply& reply) {
                                reply.json(200, "first");
                                reply.json(200, "second");
                            }),
            route_for_tests("GET", "/large",
                            [](const Request&, const Reply& reply) {
                                reply.json(200, std::string(8 * 1024 * 1024, 'x'));
                            }),
            route_for_tests("GET", "/header",
                            [](const Request&, const Reply& reply) {
                                reply.send({.status = 204,
                                            .headers = {{"Location", "/a\r\nEvil: 1"},
                                                        {"Cache-Control", "max-age=5"}}});
                            }),
            route_for_tests("POST", "/body", body),
            small,
            lines,
            optional,
        };
    }

protected:
    // Holds the reply and blocks until the gate is open.
    void wait_at_gate(const Reply& reply) {
        held_.hold(reply);
        std::unique_lock lock(gate_mutex_);
        gate_.wait(lock, [this] { return gate_is_open_; });
    }
    void open_gate() {
        const std::lock_guard lock(gate_mutex_);
        gate_is_open_ = true;
        gate_.notify_all();
    }
    void close_gate() {
        const std::lock_guard lock(gate_mutex_);
        gate_is_open_ = false;
    }

private:
    std::mutex gate_mutex_;
    std::condition_variable gate_;
    bool gate_is_open_ = false;
};

}  // namespace trackops::http
