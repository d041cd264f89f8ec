// The rows of a route table. A row says everything that the edge decides by: who may call, what the
// body is, what the answer is, which threads do the work.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/http/message.hpp"
#include "platform/http/principal.hpp"

namespace trackops::http {

enum class Body : std::uint8_t {
    none,  // a body is dropped, but counts against the limit
    json,  // application/json, handed to the handler as a whole
    // application/x-ndjson, one value a line. The handler is called when the header has arrived and
    // hands over a StreamWork, which reads the lines with Reply::body(); so its work is
    // Work::bulk. Such a body has no limit of size.
    ndjson_stream,
};
enum class Answer : std::uint8_t { json, ndjson_stream, event_stream, text };
enum class Idempotency : std::uint8_t {
    none,      // an Idempotency-Key has no meaning and is ignored
    optional,  // a repeat with the same key gets the recorded response
    required,  // the same; without a key the edge answers 428
};
enum class Work : std::uint8_t {
    memory,  // on the I/O thread: must not block; works in memory, or passes the command on
    query,   // on a worker: may block for a query; its queue is bounded, and a full one means 503
    bulk,    // on a worker, in steps: may take long, and holds no thread while it waits
};

// The words of `trackops routes`, e.g. ndjson-stream.
std::string_view name_of(Body body);
std::string_view name_of(Answer answer);
std::string_view name_of(Idempotency idempotency);
std::string_view name_of(Work work);
// The required Content-Type of a body (415 otherwise); "" for Body::none.
std::string_view media_type_of(Body body);

// A member that has no default: a row that leaves it out does not compile.
template <class T>
class Required {
public:
    constexpr Required(T value) : value_(value) {}   // NOLINT(google-explicit-constructor)
    constexpr operator T() const { return value_; }  // NOLINT(google-explicit-constructor)

private:
    T value_;
};

template <class Handle>
struct RouteRow {
    std::string_view method;  // GET also serves HEAD
    // /api/orders/{id}; a segment in braces matches one non-empty segment
    std::string_view pattern;
    Required<Scope> scope;
    Required<Body> body;
    Required<Answer> answer;
    Required<Idempotency> idempotency;
    Required<Work> work;
    Handle handler;
    std::size_t body_bytes_max = 0;  // 0: the server's default
    bool body_optional = false;      // the request may come without body and content type
    // It also admits a caller with Scope::orders_own and a customer. The handler then keeps to the
    // orders of that customer.
    bool is_for_own_customer = false;

    template <class Other>
    RouteRow<Other> with_handler(Other other) const {
        return {.method = method,
                .pattern = pattern,
                .scope = scope,
                .body = body,
                .answer = answer,
                .idempotency = idempotency,
                .work = work,
                .handler = std::move(other),
                .body_bytes_max = body_bytes_max,
                .body_optional = body_optional,
                .is_for_own_customer = is_for_own_customer};
    }
};

// The request lives as long as the reply.
using Handler = std::function<void(const Request&, Reply)>;
using Route = RouteRow<Handler>;

// A row of a table that stands at compile time: the handler gets its dependencies with the call.
template <class Dependencies>
using RouteOf = RouteRow<void (*)(const Request&, const Reply&, const Dependencies&)>;

// Returns the row of a route that only reads.
template <class Dependencies>
constexpr RouteOf<Dependencies> get_row(std::string_view pattern, Scope scope, Answer answer,
                                        Work work,
                                        decltype(RouteOf<Dependencies>::handler) handler) {
    return {.method = "GET",
            .pattern = pattern,
            .scope = scope,
            .body = Body::none,
            .answer = answer,
            .idempotency = Idempotency::none,
            .work = work,
            .handler = handler};
}

// Returns the routes of a table. Each handler holds a copy of `dependencies`.
template <class Dependencies, std::size_t count>
std::vector<Route> bound(const std::array<RouteOf<Dependencies>, count>& rows,
                         const Dependencies& dependencies) {
    std::vector<Route> routes;
    routes.reserve(count);
    for (const auto& row : rows) {
        routes.push_back(row.with_handler(Handler(
            [handler = row.handler, dependencies](const Request& request, const Reply& reply) {
                handler(request, reply, dependencies);
            })));
    }
    return routes;
}

// Returns the rows of a table with empty handlers, for readers of the table.
template <class Dependencies, std::size_t count>
std::vector<Route> unbound(const std::array<RouteOf<Dependencies>, count>& rows) {
    std::vector<Route> routes;
    routes.reserve(count);
    for (const auto& row : rows) routes.push_back(row.with_handler(Handler()));
    return routes;
}

// Returns true if no two rows serve the same method and pattern, each has a handler, and the
// members of each agree: GET takes no body and no key, only a body has a limit, and a streamed body
// is bulk work.
template <class Dependencies, std::size_t count>
constexpr bool is_consistent(const std::array<RouteOf<Dependencies>, count>& rows) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto& row = rows[i];
        if (!row.pattern.starts_with('/')) return false;
#ifndef __SANITIZE_ADDRESS__  // with sanitizers g++ 12 does not take the comparison for a constant
        if (row.handler == nullptr) return false;
#endif
        if (row.method == "GET" && (row.body != Body::none || row.idempotency != Idempotency::none))
            return false;
        if (row.body == Body::ndjson_stream &&
            (row.work != Work::bulk || row.body_bytes_max > 0 || row.body_optional))
            return false;
        if (row.body == Body::none && (row.body_bytes_max > 0 || row.body_optional)) return false;
        for (std::size_t j = 0; j < i; ++j) {
            if (rows[j].method == row.method && rows[j].pattern == row.pattern) return false;
        }
    }
    return true;
}

}  // namespace trackops::http
