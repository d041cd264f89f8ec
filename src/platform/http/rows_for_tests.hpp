// For tests: sends requests to each row of a route table and checks that the edge does what the row
// says. No handler runs.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "platform/http/conversation.hpp"
#include "testing/fakes.hpp"

namespace trackops::http {

// Returns the row as text, for comparisons of tables.
inline std::string text_of(const Route& row) {
    return fmt::format("{} {} {} {} {} {} {} {} {}", row.method, row.pattern, name_of(row.scope),
                       name_of(row.body), name_of(row.answer), name_of(row.idempotency),
                       name_of(row.work), row.body_bytes_max, row.body_optional);
}

inline std::vector<std::string> texts_of(const std::vector<Route>& rows) {
    std::vector<std::string> texts;
    for (const Route& row : rows) texts.push_back(text_of(row));
    return texts;
}

// Returns a path that leads to the row.
inline std::string path_of(const Route& row) {
    std::string path(row.pattern);
    for (auto from = path.find('{'); from != std::string::npos; from = path.find('{'))
        path.replace(from, path.find('}') - from + 1, "x");
    return path;
}

// Answers every request that reaches its handler with 299 and its body. A streamed body is
// answered by answer_stream().
class EdgeHost final : public Conversation::Host {
public:
    explicit EdgeHost(std::shared_ptr<const Principal> principal)
        : principal_(std::move(principal)) {}
    void handle(const Route& row, Request request, Conversation::Place place) override {
        answer(row, request, place, request.body);
    }
    std::shared_ptr<BodyPipe> handle_stream(const Route& row, Request request,
                                            Conversation::Place place) override {
        auto pipe = std::make_shared<BodyPipe>(BodyPipeLimits{}, [] {});
        stream_ = [this, &row, request = std::move(request), place, pipe] {
            std::string body;
            const auto taken = pipe->take(100);
            for (const BodyLine& line : taken.value_or(BodyLines{}).lines) body += line.text;
            answer(row, request, place, body);
        };
        return pipe;
    }
    void answer_stream() {
        if (stream_) stream_();
    }
    std::shared_ptr<const Principal> identify(const Request&) override { return principal_; }
    Uuid fresh_id() override { return ids_.next(); }
    std::string_view date() override { return "Tue, 14 Nov 2023 22:13:20 GMT"; }
    void reached(Limit) override {}
    void observe(const Conversation::Access&) override {}

    Conversation* conversation = nullptr;

private:
    void answer(const Route& row, const Request& request, Conversation::Place place,
                const std::string& body) {
        conversation->answer(place.number, {.status = 299,
                                            .body = std::string(row.pattern) + '\n' +
                                                    request.context.actor() + '\n' + body});
    }

    std::function<void()> stream_;
    std::shared_ptr<const Principal> principal_;
    trackops::testing::SeededIds ids_;
};

struct EdgeAnswer {
    int status;
    std::string body;
};

class Edge {
public:
    explicit Edge(std::vector<Route> rows) : router_(std::move(rows)) {}
    const std::vector<Route>& rows() const { return router_.routes(); }
    // Sends a request for `row`. body: nothing for a request without body and without its headers.
    EdgeAnswer ask(const Route& row, const std::optional<std::string>& body, std::string headers,
                   std::shared_ptr<const Principal> principal = local_principal()) const {
        if (body) headers += fmt::format("Content-Length: {}\r\n", body->size());
        EdgeHost host(std::move(principal));
        const ServerOptions options;
        Conversation conversation(host, router_, options, 1, {});
        host.conversation = &conversation;
        conversation.receive(fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n{}",
                                         row.method, path_of(row), headers, body.value_or("")),
                             {});
        host.answer_stream();
        std::string out;
        conversation.take_output(out, {});
        const auto end = out.find("\r\n\r\n");
        if (end == std::string::npos) return {0, out};
        return {std::stoi(out.substr(9, 3)), out.substr(end + 4)};
    }

private:
    const Router router_;
};

inline void expect_row_holds(const Edge& edge, const Route& row) {
    SCOPED_TRACE(text_of(row));
    const std::string key = "Idempotency-Key: k\r\n";
    const std::string type =
        row.body == Body::none ? "" : fmt::format("Content-Type: {}\r\n", media_type_of(row.body));
    const std::string handled = std::string(row.pattern) + "\nlocal\n";
    // A body of the row's type reaches the handler. A body that the row does not have is dropped.
    const EdgeAnswer good = edge.ask(row, "{}", type + key);
    EXPECT_EQ(good.status, 299);
    EXPECT_EQ(good.body, handled + (row.body == Body::none ? "" : "{}"));
    // A body of another type is refused; so is a missing one.
    const bool is_typed = row.body != Body::none && row.method != "DELETE";
    EXPECT_EQ(edge.ask(row, "{}", key + "Content-Type: text/plain\r\n").status,
              is_typed ? 415 : 299);
    EXPECT_EQ(edge.ask(row, {}, key).status, is_typed && !row.body_optional ? 415 : 299);
    // A body beyond the limit is refused. A streamed body has none.
    const std::size_t bytes_max =
        row.body_bytes_max > 0 ? row.body_bytes_max : ServerOptions{}.body_bytes_max;
    if (row.body != Body::ndjson_stream && bytes_max <= ServerOptions{}.body_bytes_max) {
        EXPECT_EQ(edge.ask(row, std::string(bytes_max, ' '), type + key).status, 299);
        EXPECT_EQ(edge.ask(row, std::string(bytes_max + 1, ' '), type + key).status, 413);
    }
    // Only a row that requires a key refuses a request without one.
    EXPECT_EQ(edge.ask(row, "{}", type).status,
              row.idempotency == Idempotency::required ? 428 : 299);
    // Only a caller with the scope of the row gets through.
    const bool is_open = row.scope == Scope::everybody;
    const auto other = std::make_shared<const Principal>(Principal{.name = "other"});
    const auto exact =
        std::make_shared<const Principal>(Principal{.name = "exact", .scopes = {row.scope}});
    EXPECT_EQ(edge.ask(row, "{}", type + key, exact).status, 299);
    const EdgeAnswer forbidden = edge.ask(row, "{}", type + key, other);
    const bool is_for_all_known = row.scope == Scope::authenticated;
    EXPECT_EQ(forbidden.status, is_open || is_for_all_known ? 299 : 403);
    EXPECT_EQ(forbidden.body.contains(fmt::format("needs the scope {}", name_of(row.scope))),
              !is_open && !is_for_all_known)
        << forbidden.body;
    EXPECT_EQ(edge.ask(row, "{}", type + key, nobody()).status, is_open ? 299 : 401);
}

inline void expect_rows_hold(std::vector<Route> rows) {
    const Edge edge(std::move(rows));
    EXPECT_FALSE(edge.rows().empty());
    for (const Route& row : edge.rows()) expect_row_holds(edge, row);
}

}  // namespace trackops::http
