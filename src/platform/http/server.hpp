// An HTTP/1.1 server on Boost.Beast: one I/O thread, a few workers for what may block.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/instant.hpp"
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
    std::uint16_t port = 0;  // 0: any free one
    std::size_t workers = 4;
    std::size_t worker_queue_max = 1024;       // requests; one more is answered 503
    std::size_t connections_max = 4096;        // one more is answered 503 and closed
    std::size_t header_bytes_max = 16 * 1024;  // 431
    std::size_t body_bytes_max = 1024 * 1024;  // 413; a route may say otherwise
    std::size_t pipelined_max =
        64;  // requests of one connection under way at once; reading pauses there
    Duration read_timeout =
        std::chrono::seconds(15);  // from the first byte of a request to its last; 408
    Duration idle_timeout = std::chrono::seconds(60);   // between requests; closed
    Duration write_timeout = std::chrono::seconds(15);  // closed
};

// Answers leave in the order of their requests, each in one write (those that are ready together in
// the same one), with TCP_NODELAY. An unknown path is 404, an unknown method 405 with Allow, both
// as problem+json. Every answer carries X-Correlation-ID and Date. Metrics:
// http_server_requests_seconds {method, uri, status} with uri the route's pattern or UNKNOWN,
// http_server_connections, http_server_limit_reached_total {limit},
// http_server_unsent_answers_total.
class Server {
public:
    virtual ~Server() = default;
    // Binds and serves from now on; throws std::runtime_error saying which address could not be
    // bound.
    virtual void start() = 0;
    virtual std::uint16_t port() const = 0;
    // Accepts no more, answers what it has read (Connection: close) and what has begun to arrive,
    // and returns when all is answered or after `within`; then closes. Not from a handler.
    virtual void drain(Duration within) = 0;
};

std::unique_ptr<Server> make_server(ServerOptions options, std::vector<Route> routes,
                                    const Clock& clock, Ids& ids, telemetry::Registry& metrics);

}  // namespace trackops::http
