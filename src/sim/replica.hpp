// A process of the simulated world: one replica of a service with its ports. The simulation starts,
// drives, kills and restarts it.
#pragma once
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/http/router.hpp"
#include "platform/relay/relay.hpp"
#include "platform/runtime/pump.hpp"
#include "platform/runtime/pump_threads.hpp"
#include "platform/telemetry/metrics.hpp"
#include "sim/sim_bus.hpp"
#include "sim/sim_cache.hpp"
#include "sim/sim_database.hpp"
#include "sim/world.hpp"

namespace trackops::sim {

// The servers that all processes share.
struct Servers {
    DatabaseServer& orders;
    DatabaseServer& stock;
    Broker& broker;
    CacheServer& cache;
    telemetry::Registry& metrics;
    // The orders' outbox as a relay on PostgreSQL sees it; nullptr if the relay runs on SQLite.
    DatabaseServer* postgres_outbox;
    Shown& shown;
};

enum class Service : std::uint8_t { order, inventory, relay };

// A service that runs on the ports of a replica.
class SimulatedService {
public:
    virtual ~SimulatedService() = default;
    virtual std::vector<http::Route> routes() = 0;
    virtual std::vector<runtime::NamedPump> pumps() = 0;
    virtual relay::Relay* relay() { return nullptr; }  // nullptr: the service has none
    virtual void end() {}                              // orderly shutdown: answers waiting requests
};

// The answer to a request as a client sees it. Status 0: no answer arrived.
struct Answer {
    int status = 0;
    std::string body = {};
    bool is_replayed = false;
    std::string etag = {};
    std::string location = {};
};

struct ScheduledPump {
    runtime::NamedPump pump;
    Instant due;
    Backoff backoff{runtime::pump_backoff};
    bool is_running = false;
};

class Replica {
public:
    Replica(World& world, const Servers& servers, Service service, int number, std::uint64_t seed);
    ~Replica();

    // Starts the program. Does not throw: if the start fails or the process dies during it, a
    // restart is scheduled.
    void start();
    bool is_up() const { return program_ != nullptr && !process_.has_crashed; }
    std::vector<ScheduledPump>& pumps() { return pumps_; }
    // Calls run() of the pump once. Handles its exceptions as the driver of pump threads would: a
    // failure is followed by a backoff.
    void run(ScheduledPump& scheduled);
    // Makes the named pump due now, or all pumps if `pump` is empty. A pump in backoff stays there.
    void wake(std::string_view pump = {});
    // Handles the request. `answer` may be called at once, at any later time, or never.
    void serve(http::Request request, std::function<void(const Answer&)> answer);
    // Shuts the process down in order and schedules its restart. Returns false, and does nothing,
    // if the process is down or a call into its program is under way.
    bool stop();
    // Kills the process, even in the middle of a call: it then dies at its next port call.
    void kill();

    Service service() const { return service_; }
    ProcessContext& process() { return process_; }
    // Kills the process; it stays down until release().
    void stop_until_released();
    void release();
    std::int64_t starts() const { return starts_; }

private:
    // An operator's retry that waits for the relay in virtual time, without a thread.
    struct Retrying {
        http::Reply reply;
        Uuid event;
        std::future<Result<void>> answer;
        Instant until;
    };
    template <class Work>
    void guarded(std::string_view what, Work work);
    void retry(const http::Request& request, const http::Reply& reply);
    void answer_retries();
    void promise_what_was_written(std::size_t from);
    void destroy_if_crashed();
    void schedule_restart(Duration least, Duration most);

    World& world_;
    const Servers& servers_;
    const Service service_;
    ProcessContext process_;
    SimClock clock_;
    SteadyClock steady_clock_;
    SimIds ids_;
    SimDatabase database_;
    // The relay reads the orders' outbox here, if it runs on PostgreSQL.
    std::optional<SimDatabase> postgres_outbox_;
    SimBus bus_;
    SimCache cache_;
    std::unique_ptr<SimulatedService> program_;
    std::unique_ptr<http::Router> router_;
    std::vector<ScheduledPump> pumps_;
    std::vector<Retrying> retrying_;
    bool is_stopped_ = false;
    int frames_ = 0;  // calls into the program that are under way
    std::int64_t starts_ = 0;
};

}  // namespace trackops::sim
