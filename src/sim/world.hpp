// One simulated world: its time, its chance, its faults, its story; and the places in it where a
// process runs.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "sim/faults.hpp"
#include "sim/random_stream.hpp"
#include "sim/trace_log.hpp"

namespace trackops::sim {

struct Mutant;

// What was broken, and how one can tell.
struct Violation {
    std::string invariant;
    std::string evidence;
};

struct World {
    World(std::uint64_t seed, const FaultPlan& plan, TraceLog::Listener listener,
          const Mutant* planted = nullptr)
        : schedule(seed, "schedule"),
          network(seed, "network"),
          transactions(seed, "transactions"),
          faults(seed, plan),
          trace_log(std::move(listener)),
          mutant(planted) {}

    static constexpr Instant beginning{1'700'000'000'000'000};
    Duration since() const { return now - beginning; }
    void at(Instant when, std::function<void()> what) { timers.emplace(when, std::move(what)); }
    void after(Duration wait, std::function<void()> what) { at(now + wait, std::move(what)); }
    // The first violation ends the run, after the step under way.
    void broken(std::string_view invariant, std::string evidence) {
        if (!violation) violation = Violation{std::string(invariant), std::move(evidence)};
    }
    template <class... Parts>
    void trace(std::string_view who, fmt::format_string<Parts...> what, Parts&&... parts) {
        trace_log.trace(since(), who, what, std::forward<Parts>(parts)...);
    }

    Instant now = beginning;
    RandomStream schedule;
    RandomStream network;
    RandomStream transactions;
    Faults faults;
    TraceLog trace_log;
    const Mutant* const mutant;                            // the planted bug, if any
    std::multimap<Instant, std::function<void()>> timers;  // those of one time in their order
    int open_transactions = 0;
    Duration skew_max = Duration::zero();  // of any machine's clock so far
    // Lets somebody else run in the middle of a pump; set by the simulation.
    std::function<void()> run_others = [] {};
    std::optional<Violation> violation;
};

// A process as its ports see it.
struct ProcessContext {
    World& world;
    std::string name;
    Duration skew = Duration::zero();  // of its machine's clock
    bool has_crashed = false;          // it has crashed: every port call of what still unwinds dies
    bool is_destroyed = false;         // its objects are being destroyed: the world hears nothing
    bool is_closing = false;           // it ends in order, and does not crash on the way
    std::string_view running = {};     // the pump that runs, the innermost
    // Versions of orders that it has written, the pump that runs now behind those that it overtook.
    std::vector<std::pair<Uuid, std::int64_t>> written = {};

    // A port call begins: the process may die here, and others may come in between.
    void enter_port_call(Fault crash, bool may_be_preempted = true);
    // The answer of a call comes late: time passes, and the others go on.
    void stall();
};

class SimClock final : public Clock {
public:
    explicit SimClock(const ProcessContext& process) : process_(process) {}
    Instant now() const override { return process_.world.now + process_.skew; }

private:
    const ProcessContext& process_;
};

// The clock that nobody sets.
class SteadyClock final : public Clock {
public:
    explicit SteadyClock(const World& world) : world_(world) {}
    Instant now() const override { return world_.now; }

private:
    const World& world_;
};

// As unordered between processes as the clocks that the ids are made from.
class SimIds final : public Ids {
public:
    SimIds(const Clock& clock, std::uint64_t seed, std::string_view process)
        : clock_(clock), random_(seed, process) {}
    Uuid next() override { return uuid_v7(clock_.now(), random_.next(), random_.next()); }

private:
    const Clock& clock_;
    RandomStream random_;
};

}  // namespace trackops::sim
