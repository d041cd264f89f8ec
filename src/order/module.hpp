// The order service as a part: a database, a cache, a bus; an API and the pumps behind it.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "order/domain/saga.hpp"

namespace trackops::bus {
class Bus;
}
namespace trackops::telemetry {
class Registry;
}

namespace trackops::order {

struct ModuleOptions {
    std::string database_url;
    std::string migration_url = {};  // the same database with its owner's rights; "": database_url
    std::string cache_url = "embedded:";
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;  // 0: any free one
    domain::SagaTimeouts timeouts;
    // A hint, from any thread: events were committed and may be relayed.
    std::function<void()> on_events_committed = [] {};
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

}  // namespace trackops::order
