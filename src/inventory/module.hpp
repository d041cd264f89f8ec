// The inventory service as a part: a database, a bus; an API, the consumer of order events, and the
// relay of its own outbox.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/ids.hpp"

namespace trackops::bus {
class Bus;
}
namespace trackops::telemetry {
class Registry;
}

namespace trackops::inventory {

struct ModuleOptions {
    std::string database_url;
    std::string migration_url = {};  // the same database with its owner's rights; "": database_url
    std::string relay_database_url = {};  // with the relay's rights; "": database_url
    std::string relay_source = "poll";    // or "wal", over PostgreSQL only
    std::string address = "127.0.0.1";
    std::uint16_t port = 8081;  // 0: any free one
    std::string consumer_group = "inventory-service";
    std::string
        relay_holder;  // this process in the lease of its outbox; "": a name nobody else has
};

class Module {
public:
    // Everything outlives the module. Throws std::invalid_argument for a URL that is none.
    Module(const ModuleOptions& options, const Clock& clock, Ids& ids, bus::Bus& bus,
           telemetry::Registry& metrics);
    ~Module();  // stop() without patience
    // Brings the schema to the newest version, makes the topics that are missing and joins the
    // consumer group. Throws std::exception saying what is missing; may be called again then.
    void prepare();
    // After prepare(): starts the pumps, then serves.
    void start();
    std::uint16_t port() const;
    // Answers what is under way, then stops the pumps. Idempotent.
    void stop(Duration drain_within);

private:
    struct Internals;
    std::unique_ptr<Internals> internals_;
};

}  // namespace trackops::inventory
