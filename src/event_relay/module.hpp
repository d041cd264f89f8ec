// The event relay service as a module: moves the committed events of the database `trackops` to the
// bus and reports its state.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "platform/http/edge_options.hpp"
#include "platform/http/route.hpp"
#include "platform/relay/relay.hpp"
#include "platform/service/management.hpp"

namespace trackops::bus {
class Bus;
}
namespace trackops::telemetry {
class Registry;
}

namespace trackops::event_relay {

struct ModuleOptions {
    std::string database_url;
    std::string address = "127.0.0.1";
    http::EdgeOptions edge = {};
    service::ManagementOptions management = {};  // data_folder "": that of database_url
    std::uint16_t port = 8082;                   // 0: any free one
    relay::RelayOptions relay;                   // holder "": a unique name is generated
    std::string source = "poll";                 // or "wal", with PostgreSQL only
};

// Returns the rows of all its routes, with empty handlers.
std::vector<http::Route> route_table();

class Module {
public:
    // All arguments must outlive the module. Throws std::invalid_argument for an invalid URL, and
    // for a source that the database does not support.
    Module(const ModuleOptions& options, const Clock& clock, Ids& ids, bus::Bus& bus,
           telemetry::Registry& metrics);
    ~Module();  // as stop() with a drain time of zero
    // Starts to serve and to relay. The order service creates the schema: until then readiness is
    // DOWN and the relay retries.
    void start();
    std::uint16_t port() const;
    // Returns the port of the management listener; 0 without one.
    std::uint16_t management_port() const;
    // A hint that events were committed: the relay reads the outbox now. Thread-safe and cheap.
    void wake();
    // Answers the requests under way, then stops the relay. Idempotent.
    void stop(Duration drain_within);

private:
    struct Internals;
    std::unique_ptr<Internals> internals_;
};

}  // namespace trackops::event_relay
