// For tests: a conversation without a socket, with a host that holds requests.
#pragma once
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "platform/http/conversation.hpp"
#include "platform/http/route_for_tests.hpp"
#include "testing/fakes.hpp"

namespace trackops::http {

// Answers GET /hello and /busy at once, and /hold only when the test answers it.
class HoldingHost final : public Conversation::Host {
public:
    struct Held {
        Conversation::Place place;
        std::string id;
    };
    struct Observed {
        int status;
        std::string method;
        std::string route;  // the route's pattern; "" if none matched
        Conversation::Time::duration took;
    };
    void handle(const Route& route, Request request, Conversation::Place place) override {
        EXPECT_EQ(place.connection, 7u);
        callers.push_back(request.context.actor());
        if (route.pattern == "/hold")
            return held.push_back({place, request.context.correlation_id});
        conversation->answer(place.number, {.status = route.pattern == "/busy" ? 503 : 200,
                                            .body = "for " + request.context.correlation_id});
    }
    std::shared_ptr<const Principal> identify(const Request&) override { return principal; }
    std::shared_ptr<Inquiry> inquire(const Request&, std::uint64_t connection) override {
        EXPECT_EQ(connection, 7u);
        return inquiries.emplace_back(std::make_shared<Inquiry>([this] { ++answers; }));
    }
    Uuid fresh_id() override { return ids.next(); }
    std::string_view date() override { return "Tue, 14 Nov 2023 22:13:20 GMT"; }
    void reached(Limit limit) override { limits.push_back(limit); }
    void observe(const Conversation::Access& access) override {
        observed.push_back({access.status, std::string(access.method),
                            access.route ? std::string(access.route->pattern) : "", access.took});
    }

    Conversation* conversation = nullptr;
    std::shared_ptr<const Principal> principal = local_principal();  // null: inquire()
    std::vector<std::shared_ptr<Inquiry>> inquiries;
    int answers = 0;  // of inquiries
    std::vector<std::string> callers;
    trackops::testing::SeededIds ids;
    std::vector<Held> held;
    std::vector<Observed> observed;
    std::vector<Limit> limits;
};

struct Answered {
    int status;
    std::string id;
    std::string body;
    bool closes;  // has "Connection: close"
    bool operator==(const Answered&) const = default;
};
inline void PrintTo(const Answered& answer, std::ostream* out) {
    *out << answer.status << ' ' << answer.id << (answer.closes ? " close " : " ") << answer.body;
}

// Splits the output into responses. No body in these tests contains "HTTP/1.1 ".
inline std::vector<Answered> answers_of(const std::string& out) {
    constexpr std::string_view begin = "HTTP/1.1 ";
    constexpr std::string_view name = "X-Correlation-ID: ";
    std::vector<Answered> answers;
    for (auto at = out.find(begin); at != std::string::npos;) {
        const auto next = out.find(begin, at + 1);
        const std::string one = out.substr(at, next - at);
        const auto id = one.find(name) + name.size();
        answers.push_back({std::stoi(one.substr(begin.size(), 3)),
                           one.substr(id, one.find("\r\n", id) - id),
                           one.substr(one.find("\r\n\r\n") + 4),
                           one.find("Connection: close\r\n") != std::string::npos});
        at = next;
    }
    return answers;
}

enum class Order : std::uint8_t { oldest_first, newest_first };

inline std::vector<Route> holding_routes() {
    return {route_for_tests("GET", "/hold"), route_for_tests("GET", "/hello"),
            route_for_tests("GET", "/busy", {}, Work::query), route_for_tests("POST", "/body")};
}

struct Talk {
    Talk(const Router& router, const ServerOptions& options, Conversation::Time now = {})
        : conversation(host, router, options, 7, now) {
        host.conversation = &conversation;
    }
    void receive(std::string_view text, Conversation::Time now = {}) {
        conversation.receive(text, now);
        go_on(now);
    }
    // Like a connection, resumes requests that waited for room only after output has left.
    void go_on(Conversation::Time now = {}) {
        for (std::size_t before = out.size();; before = out.size()) {
            conversation.take_output(out, now);
            if (out.size() == before) return;
            conversation.sent(now);
        }
    }
    void answer_one(Order order, Conversation::Time now = {}) {
        const auto one = order == Order::oldest_first ? host.held.begin() : host.held.end() - 1;
        const HoldingHost::Held held = *one;
        host.held.erase(one);
        conversation.answer(held.place.number, {.body = "for " + held.id});
        go_on(now);
    }
    void answer_all(Order order, Conversation::Time now = {}) {
        while (!host.held.empty()) answer_one(order, now);
    }
    HoldingHost host;
    Conversation conversation;
    std::string out;
};

}  // namespace trackops::http
