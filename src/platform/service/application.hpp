// A service between its ports: its routes and the pumps behind them, without sockets, threads or
// drivers. A Host adds threads and a server; the simulator drives an application itself.
#pragma once
#include <vector>

#include "platform/http/router.hpp"
#include "platform/runtime/pump.hpp"

namespace trackops::service {

class Application {
public:
    virtual ~Application() = default;
    // The routes are valid while this object lives.
    virtual std::vector<http::Route> routes() = 0;
    // Creates missing topics and joins the consumer group, if the service consumes events. Throws
    // std::exception when the bus is unavailable; may be called again after that.
    virtual void listen() {}
    // Returns the pumps in the order in which they start. Call it after listen().
    virtual std::vector<runtime::NamedPump> pumps() = 0;
    // Answers the requests that only wait for a change of state, such as ?wait=confirmed.
    virtual void release_waiting() {}
    // Answers every request that is still queued. Call it when the pumps no longer run. Idempotent.
    virtual void close() {}
};

}  // namespace trackops::service
