// A process of the simulated world: one replica of a service with its ports, started, driven,
// killed and started again.
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
#include "platform/telemetry/metrics.hpp"
#include "sim/sim_bus.hpp"
#include "sim/sim_cache.hpp"
#include "sim/sim_database.hpp"
#include "sim/world.hpp"

namespace trackops::sim {

// What all processes share.
struct Servers {
    DatabaseServer& orders;
    DatabaseServer& stock;
    Broker& broker;
    CacheServer& cache;
    telemetry::Registry& metrics;
    DatabaseServer*
        postgres_outbox;  // the orders' outbox for a relay on PostgreSQL; none: on SQLite
    Shown& shown;
};

enum class Service : std::uint8_t { order, inventory, relay };

// A service between the ports of a replica.
class SimulatedService {
public:
    virtual ~SimulatedService() = default;
    virtual std::vector<http::Route> routes() = 0;
    virtual std::vector<runtime::NamedPump> pumps() = 0;
    virtual relay::Relay* relay() { return nullptr; }  // none: it has none
    virtual void end() {}                              // in order: answers what waits
};

// An answer on its way; status 0: none came.
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
    Duration backoff = Duration::zero();
    bool is_running = false;
};

class Replica {
public:
    Replica(World& world, const Servers& servers, Service service, int number, std::uint64_t seed);
    ~Replica();

    // Throws what the program throws at its start; may die on the way.
    void start();
    bool is_up() const { return program_ != nullptr && !process_.has_crashed; }
    std::vector<ScheduledPump>& pumps() { return pumps_; }
    // One call of its run(). What it throws is what a driver of threads would take.
    void run(ScheduledPump& scheduled);
    // Some of its pumps have something to do, soon.
    void wake(std::string_view pump = {});
    // Takes the request; the answer may come at any later time, or never.
    void serve(http::Request request, std::function<void(const Answer&)> answer);
    // In order, when nothing of it is under way.
    bool stop();
    // Also in the middle of something: it dies at its next port call.
    void kill();

    Service service() const { return service_; }
    ProcessContext& process() { return process_; }
    // It dies and stays away until it is let go.
    void stop_until_released();
    void release();
    std::int64_t starts() const { return starts_; }

private:
    // An operator's call of retry() that waits for the relay: in virtual time, on no thread.
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
    std::optional<SimDatabase>
        postgres_outbox_;  // where a relay reads the orders' outbox, if there
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
