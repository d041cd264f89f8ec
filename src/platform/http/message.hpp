// A parsed and checked request, and the response to it.
#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/audited_act.hpp"
#include "base/request.hpp"
#include "base/result.hpp"
#include "platform/http/client_address.hpp"
#include "platform/http/principal.hpp"
#include "platform/http/problem.hpp"
#include "platform/http/stream.hpp"
#include "platform/runtime/budget.hpp"
#include "platform/telemetry/span.hpp"

namespace trackops::http {

// Where a request comes from: its caller, its time and its trace.
struct RequestContext {
    std::shared_ptr<const Principal> principal = nobody();  // the caller; never null
    // The address of the connection, or the one that trusted proxies name (forwarded.hpp).
    ClientAddress client{};
    // The client's X-Correlation-ID if it sent one (1 to 128 visible ASCII characters), otherwise a
    // generated id.
    std::string correlation_id;
    // The W3C traceparent of this request's own span. The trace id is the client's, if it sent one.
    std::string traceparent;
    std::string tracestate;
    telemetry::SpanContext span;                       // the same as traceparent
    telemetry::SpanId parent_span{};                   // the client's; all zero if it sent none
    std::chrono::steady_clock::time_point arrived_at;  // the arrival of the request's first byte

    // For the command that the request becomes; its transaction writes the row of the audit log.
    AuditedActPtr act = {};
    bool is_secure = false;  // the client speaks TLS, with this service or with its proxy

    const std::string& actor() const { return principal->name; }
    std::string_view trace_id() const;  // the 32 hex digits in traceparent
    // Returns the trace of what the request causes. The request itself is the cause.
    Trace trace() const { return {correlation_id, correlation_id, traceparent, tracestate}; }
};

struct Request {
    std::string method;
    std::string path;   // percent-decoded, without the query
    std::string route;  // the matching pattern: /api/orders/{id}
    std::vector<std::pair<std::string, std::string>> params;   // parameters of the pattern, decoded
    std::vector<std::pair<std::string, std::string>> query;    // decoded, in order, with repeats
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string body;
    RequestContext context;
    runtime::Share share = {};  // what the body takes of the memory budget

    // Throws std::logic_error if the route has no parameter of this name.
    std::string_view param(std::string_view name) const;
    // `name` is in lower case. Returns the first of several headers.
    std::optional<std::string_view> header(std::string_view name) const;
    // Returns the first of several values.
    std::optional<std::string_view> query_value(std::string_view name) const;
};

// Reports every fault of the query, at most query_faults_max: names that are not in `known`, and
// repeated names that are not in `repeatable`. Codes: unknown, repeated.
inline constexpr std::size_t query_faults_max = 64;
Result<void> check_query(const Request& request, std::initializer_list<std::string_view> known,
                         std::initializer_list<std::string_view> repeatable = {});

struct Response {
    int status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers = {};
    // Sent in place of an empty `body`, without a copy: it lives as long as the server.
    std::string_view static_body = {};

    std::string_view content() const { return body.empty() ? static_body : body; }
};

// The way back to the client. Copies share one exchange. Complete it once, from any thread, at any
// time. A second completion is ignored and logged. If every copy is destroyed without a completion,
// the client gets 500.
class Reply {
public:
    class Exchange {  // implemented by the server, and by tests
    public:
        virtual ~Exchange() = default;
        virtual const Request& request() const = 0;
        virtual void complete(Response response) = 0;
        virtual void known(Response response);  // ignored by an exchange without a deadline
        // Throw std::logic_error in an exchange that has no streams.
        virtual BodyStream& body();
        virtual std::unique_ptr<AnswerStream> begin(Response head);
        virtual void run(std::unique_ptr<StreamWork> work);
    };
    explicit Reply(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
    // The request is valid while a copy of this reply lives.
    const Request& request() const { return exchange_->request(); }
    void send(Response response) const { exchange_->complete(std::move(response)); }
    void json(int status, std::string body) const {
        send({.status = status, .body = std::move(body)});
    }
    // Gives the answer that is true already. It is sent if the request's deadline passes before a
    // better one comes. Call it once at most, and before the answer.
    void known(Response response) const { exchange_->known(std::move(response)); }
    void problem(const Error& error) const { send(http::problem(error, request())); }
    // The body of a request whose route streams it. It is valid while a copy of this reply lives.
    // Throws std::logic_error for any other route.
    BodyStream& body() const { return exchange_->body(); }
    // Begins an answer whose body is written in pieces; `head` is the response without its body.
    // Until the first piece is written, another answer may be sent instead of it.
    std::unique_ptr<AnswerStream> begin(Response head) const {
        return exchange_->begin(std::move(head));
    }
    // Goes on with the work of a bulk request after its handler has returned. Only that handler may
    // call it, as the last thing it does. Throws std::logic_error for any other route.
    void run(std::unique_ptr<StreamWork> work) const { exchange_->run(std::move(work)); }
    void busy() const {
        problem({Errc::overloaded, "more requests are waiting than may wait; try again"});
    }

private:
    std::shared_ptr<Exchange> exchange_;
};

}  // namespace trackops::http
