// Runs an application: threads for its pumps, an HTTP server for its routes, its management plane.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "base/instant.hpp"
#include "platform/http/edge_options.hpp"
#include "platform/runtime/pump_threads.hpp"
#include "platform/service/application.hpp"
#include "platform/service/management.hpp"

namespace trackops {
class Clock;
class Ids;
}  // namespace trackops
namespace trackops::http {
class Server;
}
namespace trackops::telemetry {
class Registry;
class Tracer;
}  // namespace trackops::telemetry

namespace trackops::service {

struct HostOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;             // 0: any free port
    runtime::Budget* budget = nullptr;  // as http::ServerOptions::budget
    http::EdgeOptions edge = {};
    ManagementOptions management = {};
    telemetry::Tracer* tracer = nullptr;  // as http::ServerOptions::tracer
};

class Host {
public:
    // Every argument outlives the host.
    Host(Application& application, const HostOptions& options, const Clock& clock, Ids& ids,
         telemetry::Registry& metrics);
    ~Host();  // calls stop(zero)
    // Starts the pumps, then the server. Call it after the application's listen().
    void start();
    std::uint16_t port() const;
    // Returns the port of the management listener; 0 without one.
    std::uint16_t management_port() const { return management_.port(); }
    // Ends the sleep of one of the application's pumps. Thread-safe; cheap.
    void wake(runtime::Pump& pump) { threads_.wake(pump); }
    // Answers the requests in progress within `drain_within`, then stops the pumps and closes the
    // application. Idempotent.
    void stop(Duration drain_within);

private:
    Application& application_;
    Management management_;
    runtime::PumpThreads threads_;
    std::unique_ptr<http::Server> server_;
};

}  // namespace trackops::service
