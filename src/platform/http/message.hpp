// A request that was read and checked, and what can be answered.
#pragma once
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace trackops::http {

struct Request {
    std::string method;
    std::string path;   // percent-decoded, without the query
    std::string route;  // the pattern that matched: /api/orders/{id}
    std::vector<std::pair<std::string, std::string>> params;   // of the pattern, decoded
    std::vector<std::pair<std::string, std::string>> query;    // decoded, in order, repeats kept
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string body;
    // X-Correlation-ID if it was sent (1..128 visible ASCII), else generated
    std::string correlation_id;
    std::string traceparent;  // W3C, of this request's own span; its parent's trace if one was sent
    std::string tracestate;

    std::string_view param(
        std::string_view name) const;  // std::logic_error if the route has none such
    std::optional<std::string_view> header(
        std::string_view name) const;  // name in lower case; the first
    std::optional<std::string_view> query_value(std::string_view name) const;  // the first
    std::string_view trace_id() const;  // 32 hex digits of traceparent
};

// Every fault of the query at once (no more than query_faults_max): names that are not in `known`,
// names given twice that are not in `repeatable`. Codes: unknown, repeated.
inline constexpr std::size_t query_faults_max = 64;
Result<void> check_query(const Request& request, std::initializer_list<std::string_view> known,
                         std::initializer_list<std::string_view> repeatable = {});

struct Response {
    int status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers = {};
};

// RFC 9457 problem+json for an error: the one table from Errc to status, type and title. instance
// is the path. The detail of internal and unavailable goes to the log, not to the client; every
// other is sent as it is.
Response problem(const Error& error, const Request& request);
int status_of(Errc code);
std::string_view code_of(Errc code);  // the stable word, e.g. "invalid-request"

// The way back to the client. Copies share it; complete it once, from any thread, sooner or later.
// Completed twice: the second is ignored and logged. Every copy destroyed without an answer: 500.
class Reply {
public:
    class Exchange {  // implemented by the server, and by tests
    public:
        virtual ~Exchange() = default;
        virtual const Request& request() const = 0;
        virtual void complete(Response response) = 0;
    };
    explicit Reply(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
    const Request& request() const {
        return exchange_->request();
    }  // valid while a copy of this reply lives
    void send(Response response) const { exchange_->complete(std::move(response)); }
    void json(int status, std::string body) const {
        send({.status = status, .body = std::move(body)});
    }
    void problem(const Error& error) const { send(http::problem(error, request())); }
    void busy() const {
        problem({Errc::overloaded, "more requests are waiting than may wait; try again"});
    }

private:
    std::shared_ptr<Exchange> exchange_;
};

}  // namespace trackops::http
