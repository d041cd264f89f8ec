// An HTTP/1.1 server on Boost.Beast: one I/O thread, and a few workers for handlers that block. The
// workers of a class of work are its own, so that long requests of one class do not stop another.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/instant.hpp"
#include "platform/http/body_pipe.hpp"
#include "platform/http/edge_options.hpp"
#include "platform/http/router.hpp"

namespace trackops {
class Clock;
class Ids;
}  // namespace trackops
namespace trackops::telemetry {
class Registry;
class Tracer;
}  // namespace trackops::telemetry

namespace trackops::http {

struct ServerOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  // 0: any free port
    // The threads of each class of work, and its queued requests; a further one is answered 503.
    std::size_t workers = 4;
    std::size_t worker_queue_max = 1024;
    std::size_t bulk_workers = 2;
    std::size_t bulk_queue_max = 64;
    // A larger body is not read on the I/O thread, because its JSON would hold up all connections.
    // Workers of their own call the handler, which is the same for every size.
    std::size_t io_body_bytes_max = 32 * 1024;
    std::size_t large_body_workers = 1;
    std::size_t large_body_queue_max = 256;
    std::size_t header_bytes_max = 16 * 1024;  // 431 beyond it
    std::size_t body_bytes_max = 1024 * 1024;  // 413 beyond it; a route may have its own limit
    // The maximum number of unanswered requests of one connection. Beyond it the server stops
    // reading.
    std::size_t pipelined_max = 64;
    // From the first byte of a request to the end of its header; answered 408 after that.
    Duration read_timeout = std::chrono::seconds(15);
    // A body may take longer, as long as this arrives of it in each read_timeout, save while the
    // server does not read. Answered 408 otherwise; BodyStream::read() tells it of a streamed body.
    std::size_t upload_bytes_per_second_min = 1024;
    BodyPipeLimits body_stream;                        // of a body that is streamed
    std::size_t answer_stream_bytes_max = 256 * 1024;  // written to a streamed answer and not sent
    // Pays for bodies, from their arrival to the answer, and for streams. Spent: 503, at once if
    // the Content-Length tells it. Null: not counted.
    runtime::Budget* budget = nullptr;
    Duration heartbeat = std::chrono::seconds(15);      // of a silent event stream
    Duration write_timeout = std::chrono::seconds(15);  // then closed
    EdgeOptions edge = {};
    // From the last byte of a request to its answer. A handler that has not answered by then is
    // answered for: 503 unavailable, or outcome-unknown for a method that may have had its effect.
    // A route that streams its body has no such limit: it has one for each wait of its streams.
    Duration answer_timeout = std::chrono::seconds(10);
    // Takes a span of each request; null: no spans. It outlives the server.
    telemetry::Tracer* tracer = nullptr;
};

// Responses leave in the order of their requests, each in one write (together with others that are
// ready), with TCP_NODELAY. An unknown path is answered 404, an unknown method 405 with Allow, both
// as problem+json. Every response carries X-Correlation-ID and Date. Metrics:
// - http_server_requests_seconds {method, uri, status, outcome, exception}, with the labels of
//   Micrometer: uri is the route's pattern or UNKNOWN, outcome SUCCESS, CLIENT_ERROR, ..., and
//   exception None
// - http_server_connections
// - http_server_failed_accepts_total
// - http_server_limit_reached_total {limit}
// - http_server_unsent_answers_total
// - http_server_late_answers_total
class Server {
public:
    virtual ~Server() = default;
    // Binds and serves. Throws std::runtime_error with the address if it cannot bind.
    virtual void start() = 0;
    virtual std::uint16_t port() const = 0;
    // Accepts no more connections and answers all requests that have arrived or begun to arrive,
    // with Connection: close. Returns when all are answered or after `within`, and then closes all
    // connections. A handler must not call it.
    virtual void drain(Duration within) = 0;
};

std::unique_ptr<Server> make_server(ServerOptions options, std::vector<Route> routes,
                                    const Clock& clock, Ids& ids, telemetry::Registry& metrics);

}  // namespace trackops::http
