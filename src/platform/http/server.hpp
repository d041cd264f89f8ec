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
    // An IP address, or "localhost": 127.0.0.1 and, on a machine that has IPv6, ::1 at the same
    // port.
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  // 0: any free port
    // The queued requests of the class query; a further one is answered 503, and so is one of an
    // address, except loopback, that has half of them.
    std::size_t query_queue_max = 1024;
    // The requests of one connection in each of these classes that are not answered and sent. The
    // next one waits in the connection, so that no connection fills a queue.
    std::size_t query_in_work_max = 2;
    std::size_t bulk_in_work_max = 1;
    // A larger body is not read on the I/O thread, because its JSON would hold up all connections.
    // Workers of their own call the handler, which is the same for every size.
    std::size_t io_body_bytes_max = 32 * 1024;
    std::size_t large_body_workers = 1;
    std::size_t large_body_queue_max = 256;
    std::size_t header_bytes_max = 16 * 1024;  // 431 beyond it
    std::size_t body_bytes_max = 1024 * 1024;  // 413 beyond it; a route may have its own limit
    // From the first byte of a request to the end of its header; answered 408 after that.
    Duration read_timeout = std::chrono::seconds(15);
    BodyPipeLimits body_stream;                        // of a body that is streamed
    std::size_t answer_stream_bytes_max = 256 * 1024;  // written to a streamed answer and not sent
    // Pays for bodies, from their arrival to the answer, for streams, and for answers that wait to
    // be sent. Spent: 503, at once if the Content-Length tells it. Null: not counted.
    runtime::Budget* budget = nullptr;
    Duration heartbeat = std::chrono::seconds(15);      // of a silent event stream
    Duration write_timeout = std::chrono::seconds(15);  // of 64 KiB; then closed
    // Of a connection with TLS: from its beginning to the end of the handshake; then closed.
    Duration handshake_timeout = std::chrono::seconds(10);
    std::size_t handshake_bytes_max = 64 * 1024;  // that a client may send in it; then closed
    EdgeOptions edge = {};
    // Takes a span of each request; null: no spans. It outlives the server.
    telemetry::Tracer* tracer = nullptr;
};

// Responses leave in the order of their requests, those that are ready in one write of 64 KiB or
// so, with TCP_NODELAY. An unknown path is answered 404, an unknown method 405 with Allow, both
// as problem+json. Every response carries X-Correlation-ID and Date. Metrics:
// - http_server_requests_seconds {method, uri, status, outcome, exception}, with the labels of
//   Micrometer: uri is the route's pattern or UNKNOWN, outcome SUCCESS, CLIENT_ERROR, ..., and
//   exception None
// - http_server_connections
// - http_server_failed_accepts_total
// - http_server_limit_reached_total {limit}
// - http_server_tls_handshakes_total {outcome}: accepted, failed
// - http_server_rate_limited_total {policy}: address, principal
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
