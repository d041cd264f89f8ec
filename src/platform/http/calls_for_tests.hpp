// For tests: calls of routes without a server, and lists read page by page along their Links.
#pragma once
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "platform/http/authorise.hpp"
#include "platform/http/body_pipe.hpp"
#include "platform/http/idempotency_key.hpp"
#include "platform/http/router.hpp"
#include "platform/http/target.hpp"
#include "platform/json/reader.hpp"

namespace trackops::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

// A request and, once it has arrived, its response.
class Exchange final : public Reply::Exchange {
public:
    explicit Exchange(Request request) : request_(std::move(request)) {
        body_.put(request_.body);
        body_.finish();
    }
    const Request& request() const override { return request_; }
    void complete(Response response) override {
        EXPECT_FALSE(answer) << "a second answer to " << request_.path;
        if (response.body.empty()) response.body = response.static_body;
        answer = std::move(response);
    }
    // The whole body has arrived.
    BodyStream& body() override { return body_; }
    std::unique_ptr<AnswerStream> begin(Response head) override {
        return std::make_unique<Whole>(*this, std::move(head));
    }
    // Nothing is to come, so no step may wait.
    void run(std::unique_ptr<StreamWork> work) override {
        auto next = StreamWork::Next::again;
        while (next == StreamWork::Next::again) next = work->step();
        EXPECT_EQ(next, StreamWork::Next::done);
    }
    std::optional<Response> answer;

private:
    // Collects a streamed answer.
    class Whole final : public AnswerStream {
    public:
        Whole(Exchange& exchange, Response head) : exchange_(exchange), head_(std::move(head)) {}
        bool has_room() const override { return true; }
        Result<void> write(std::string_view bytes) override {
            head_.body += bytes;
            return {};
        }
        bool try_write(std::string_view bytes) override { return write(bytes).has_value(); }
        void finish() override { exchange_.complete(std::move(head_)); }
        void finish_and_close() override { finish(); }

    private:
        Exchange& exchange_;
        Response head_;
    };

    Request request_;
    BodyPipe body_{{}, [] {}};
};

class Calls {
public:
    // work: executes the commands that the handlers pass to combiners.
    Calls(std::vector<Route> routes, std::function<void()> work)
        : router_(std::move(routes)), work_(std::move(work)) {
        origin.context.principal = local_principal();
    }

    // Sends a request. The response may arrive later.
    std::shared_ptr<Exchange> send(std::string_view method, std::string_view target,
                                   std::string body = {}, Headers headers = {}) {
        const auto parsed = parse_target(target);
        if (!parsed) throw std::invalid_argument(fmt::format("no target: {}", target));
        const auto match = router_.match(method, parsed->encoded_path);
        if (!match.route) throw std::invalid_argument(fmt::format("no route: {}", target));
        Request request = origin;
        request.method = method;
        request.path = parsed->path;
        request.route = match.route->pattern;
        request.params = match.params;
        request.query = parsed->query;
        request.headers = std::move(headers);
        request.body = std::move(body);
        const auto exchange = std::make_shared<Exchange>(std::move(request));
        if (const auto refused = refusal_of(*match.route, exchange->request())) {
            Reply(exchange).problem(*refused);
            return exchange;
        }
        const auto handle = [&] { match.route->handler(exchange->request(), Reply(exchange)); };
        if (match.route->work != Work::bulk) {
            handle();
            work_();
            return exchange;
        }
        // Such a handler waits for the outcome of its commands.
        const auto handled = std::async(std::launch::async, handle);
        while (handled.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) work_();
        return exchange;
    }
    Response call(std::string_view method, std::string_view target, std::string body = {},
                  Headers headers = {}) {
        const auto exchange = send(method, target, std::move(body), std::move(headers));
        if (!exchange->answer) throw std::runtime_error(fmt::format("no answer to {}", target));
        return *exchange->answer;
    }

    Request origin;  // its context is the context of each request

private:
    // As the edge decides, save for the media type: these requests have none.
    static std::optional<Error> refusal_of(const Route& route, const Request& request) {
        if (auto error = authorise(route, *request.context.principal)) return error;
        if (auto given = check_key_is_given(route, request); !given) return given.error();
        return std::nullopt;
    }
    const Router router_;
    const std::function<void()> work_;
};

// Returns the value of a header; "" if there is none.
inline std::string header(const Response& response, std::string_view name) {
    for (const auto& [given, value] : response.headers) {
        if (given == name) return value;
    }
    return {};
}

// Returns a text member of the body's object; "" if there is none.
inline std::string member(const Response& response, std::string_view name) {
    const auto document = json::Document::parse(response.body);
    const auto value = document ? document->root().find(name) : std::nullopt;
    return value && value->text() ? std::string(*value->text()) : std::string();
}

// Returns the pointers in the errors of a problem.
inline std::vector<std::string> pointers(const Response& response) {
    const auto document = json::Document::parse(response.body);
    std::vector<std::string> found;
    const auto errors = document ? document->root().find("errors") : std::nullopt;
    if (!errors) return found;
    errors->each_element([&](std::size_t, json::Value fault) {
        found.emplace_back(*fault.find("pointer")->text());
    });
    return found;
}

using Pages = std::vector<std::vector<std::string>>;

// Returns the member `key` of each item of a list as JSON, page by page from `target` on. `between`
// runs before each page but the first.
inline Pages pages_of(
    Calls& calls, std::string target, std::string_view key,
    const std::function<void()>& between = [] {}) {
    Pages pages;
    for (;;) {
        const Response response = calls.call("GET", target);
        const auto document = json::Document::parse(response.body);
        if (response.status != 200 || !document) throw std::runtime_error(response.body);
        pages.emplace_back();
        document->root().find("items")->each_element([&](std::size_t, json::Value item) {
            pages.back().push_back(item.find(key)->minified());
        });
        const std::string link = header(response, "Link");
        EXPECT_EQ(document->root().find("nextCursor")->is_null(), link.empty()) << response.body;
        if (link.empty()) return pages;
        if (pages.size() > 100) throw std::runtime_error("a list without end: " + target);
        target = link.substr(1, link.find('>') - 1);
        between();
    }
}

inline std::vector<std::string> joined(const Pages& pages) {
    std::vector<std::string> all;
    for (const auto& page : pages) all.insert(all.end(), page.begin(), page.end());
    return all;
}

// Checks that the list at `target` (which has a query) holds `expected` for several page sizes:
// each entry once, and no unnecessary page.
inline void expect_pages(Calls& calls, const std::string& target, std::string_view key,
                         const std::vector<std::string>& expected) {
    const std::size_t count = expected.size();
    for (const std::size_t limit : {std::size_t{1}, std::size_t{2}, count, count + 1}) {
        const Pages pages = pages_of(calls, fmt::format("{}&limit={}", target, limit), key);
        EXPECT_EQ(joined(pages), expected) << target << " in pages of " << limit;
        EXPECT_EQ(pages.size(), (count + limit - 1) / limit) << target << " in pages of " << limit;
    }
}

}  // namespace trackops::http
