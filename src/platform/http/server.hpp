// An HTTP/1.1 server on Boost.Beast: one I/O thread, and a few workers for handlers that block.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/instant.hpp"
#include "platform/http/edge_options.hpp"
#include "platform/http/router.hpp"

namespace trackops {
class Clock;
class Ids;
}  // namespace trackops
namespace trackops::telemetry {
class Registry;
}

namespace trackops::http {

struct ServerOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  // 0: any free port
    std::size_t workers = 4;
    std::size_t worker_queue_max = 1024;       // queued requests; a further one is answered 503
    std::size_t header_bytes_max = 16 * 1024;  // 431 beyond it
    std::size_t body_bytes_max = 1024 * 1024;  // 413 beyond it; a route may have its own limit
    // The maximum number of unanswered requests of one connection. Beyond it the server stops
    // reading.
    std::size_t pipelined_max = 64;
    // From the first byte of a request to its last; answered 408 after that.
    Duration read_timeout = std::chrono::seconds(15);
    Duration write_timeout = std::chrono::seconds(15);  // then closed
    EdgeOptions edge = {};
    // From the last byte of a request to its answer. A handler that has not answered by then is
    // answered for: 503 unavailable, or outcome-unknown for a method that may have had its effect.
    Duration answer_timeout = std::chrono::seconds(10);
};

// Responses leave in the order of their requests, each in one write (together with others that are
// ready), with TCP_NODELAY. An unknown path is answered 404, an unknown method 405 with Allow, both
// as problem+json. Every response carries X-Correlation-ID and Date. Metrics:
// - http_server_requests_seconds {method, uri, status, outcome, exception} as Micrometer names
// them:
//   uri is the route's pattern or UNKNOWN, outcome SUCCESS, CLIENT_ERROR, ..., exception None
// - http_server_connections
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
