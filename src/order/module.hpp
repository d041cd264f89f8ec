// The order service as a module: it opens the database and the cache, serves the HTTP API and runs
// the pumps.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/request.hpp"
#include "order/domain/saga.hpp"
#include "platform/access/session_routes.hpp"
#include "platform/http/edge_options.hpp"
#include "platform/service/management.hpp"

namespace trackops::bus {
class Bus;
}
namespace trackops::runtime {
class Budget;
}
namespace trackops::telemetry {
class Registry;
class Tracer;
}  // namespace trackops::telemetry

namespace trackops::order {

struct ModuleOptions {
    std::string database_url;
    std::string migration_url = {};  // the same database as its owner; "" means database_url
    std::string cache_url = "embedded:";
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;  // 0 means any free port
    http::EdgeOptions edge = {};
    service::ManagementOptions management = {};  // data_folder "": that of database_url
    access::SessionDoor sessions = {};           // empty: nobody can log in
    domain::SagaTimeouts timeouts;
    // A hint that events may have been committed and can be relayed. Called on any thread.
    std::function<void()> on_events_committed = [] {};
    Duration key_lifetime = idempotency_lifetime_default;
    bool keys_are_optional = false;       // no route requires an Idempotency-Key
    bool external_ref_is_unique = false;  // among the orders of a customer
    // The memory that the process may spend on what others send; null: not counted. It outlives the
    // module.
    runtime::Budget* budget = nullptr;
    // Takes the service's spans; null: no spans. It outlives the module.
    telemetry::Tracer* tracer = nullptr;
};

class Module {
public:
    // All references outlive the module. Throws std::invalid_argument for an invalid URL.
    Module(const ModuleOptions& options, const Clock& clock, Ids& ids, bus::Bus& bus,
           telemetry::Registry& metrics);
    ~Module();  // as stop() with a drain time of zero
    // Migrates the schema to the newest version, creates the missing topics and joins the consumer
    // group. Throws std::exception with a text that says what is missing; the caller may then call
    // prepare() again.
    void prepare();
    // Starts the pumps and then the HTTP server. Requires prepare().
    void start();
    // Returns the port on which the HTTP server listens.
    std::uint16_t port() const;
    // Returns the port of the management listener; 0 without one.
    std::uint16_t management_port() const;
    // Answers the requests in progress, for at most drain_within, then stops the pumps. Idempotent.
    void stop(Duration drain_within);

private:
    struct Internals;
    std::unique_ptr<Internals> internals_;
};

}  // namespace trackops::order
