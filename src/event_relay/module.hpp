// The event relay service as a part: moves committed events of `trackops` to the bus, and says how
// that goes.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "platform/relay/relay.hpp"

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
    std::uint16_t port = 8082;    // 0: any free one
    relay::RelayOptions relay;    // holder "": a name nobody else has
    std::string source = "poll";  // or "wal", over PostgreSQL only
};

class Module {
public:
    // Everything outlives the module. Throws std::invalid_argument for a URL that is none,
    // and for a source that it cannot have.
    Module(const ModuleOptions& options, const Clock& clock, Ids& ids, bus::Bus& bus,
           telemetry::Registry& metrics);
    ~Module();  // stop() without patience
    // Serves and relays from now on. The schema is the order service's: until it is there,
    // readiness is DOWN and the relay tries again.
    void start();
    std::uint16_t port() const;
    // A hint that events were committed: looks now. Thread-safe, cheap.
    void wake();
    // Answers what is under way, then stops relaying. Idempotent.
    void stop(Duration drain_within);

private:
    struct Internals;
    std::unique_ptr<Internals> internals_;
};

}  // namespace trackops::event_relay
