// A service between its ports: its routes and the pumps behind them, without sockets, threads or
// drivers. A Host adds threads, a server and the management plane; the simulator drives an
// application itself.
#pragma once
#include <string_view>
#include <vector>

#include "platform/http/router.hpp"
#include "platform/runtime/pump.hpp"
#include "platform/telemetry/health.hpp"

namespace trackops::service {

class Application {
public:
    virtual ~Application() = default;
    virtual std::string_view name() const = 0;  // e.g. order-service
    // Returns the routes of the API, which are valid while this object lives.
    virtual std::vector<http::Route> routes() = 0;
    // Returns what the health consists of. The components are valid while this object lives.
    virtual std::vector<telemetry::Component> components() = 0;
    // Creates missing topics and joins the consumer group, if the service consumes events. Throws
    // std::exception when the bus is unavailable; may be called again after that.
    virtual void listen() {}
    // Returns the pumps in the order in which they start. Call it after listen().
    virtual std::vector<runtime::NamedPump> pumps() = 0;
    // Returns the pumps that only sample gauges; they change nothing. The simulator does not run
    // them.
    virtual std::vector<runtime::NamedPump> samplers() { return {}; }
    // Answers the requests that only wait for a change of state, such as ?wait=confirmed.
    virtual void release_waiting() {}
    // Answers every request that is still queued. Call it when the pumps no longer run. Idempotent.
    virtual void close() {}
};

}  // namespace trackops::service
