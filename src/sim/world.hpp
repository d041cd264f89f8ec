// One simulated world: its time, its random numbers, its faults and its trace log; and the context
// in which each of its processes runs.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/chance.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "sim/faults.hpp"
#include "sim/random_stream.hpp"
#include "sim/trace_log.hpp"

namespace trackops::sim {

struct Mutant;

// A violated invariant, with the evidence.
struct Violation {
    std::string invariant;
    std::string evidence;
};

// The chance of all processes of a world.
class SimChance final : public Chance {
public:
    explicit SimChance(std::uint64_t seed) : random_(seed, "chance") {}
    double draw() override { return random_.fraction(); }

private:
    RandomStream random_;
};

struct World {
    World(std::uint64_t seed, const FaultPlan& plan, TraceLog::Listener listener,
          const Mutant* planted = nullptr)
        : schedule(seed, "schedule"),
          network(seed, "network"),
          transactions(seed, "transactions"),
          chance(seed),
          faults(seed, plan),
          trace_log(std::move(listener)),
          mutant(planted) {}

    static constexpr Instant beginning{1'700'000'000'000'000};
    Duration since() const { return now - beginning; }
    void at(Instant when, std::function<void()> what) { timers.emplace(when, std::move(what)); }
    void after(Duration wait, std::function<void()> what) { at(now + wait, std::move(what)); }
    // Records a violation. The first one ends the run after the current step; later ones are
    // ignored.
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
    SimChance chance;
    Faults faults;
    TraceLog trace_log;
    const Mutant* const mutant;  // the active mutant; nullptr if none
    // Timers due at the same time run in the order in which they were added.
    std::multimap<Instant, std::function<void()>> timers;
    int open_transactions = 0;
    Duration skew_max = Duration::zero();  // the largest skew of any machine's clock so far
    // Runs other pumps in the middle of a pump. The simulation sets it.
    std::function<void()> run_others = [] {};
    std::optional<Violation> violation;
};

// A process as its ports see it.
struct ProcessContext {
    World& world;
    std::string name;
    Duration skew = Duration::zero();  // the skew of its machine's clock
    // The process has crashed: each further port call throws Crash.
    bool has_crashed = false;
    // The objects of the process are being destroyed: port calls have no effect on the world.
    bool is_destroyed = false;
    // The process shuts down in order and does not crash while it does.
    bool is_closing = false;
    std::string_view running = {};  // the innermost running pump
    // The order versions that running pumps have written: those of the innermost pump last, after
    // those of the pumps that it preempted.
    std::vector<std::pair<Uuid, std::int64_t>> written = {};

    // Begins a port call: the process may die here (throws Crash), and other pumps may run.
    void enter_port_call(Fault crash, bool may_be_preempted = true);
    // Delays the result of a call if the fault sql_slow occurs: time passes, and other pumps run.
    void stall();
};

class SimClock final : public Clock {
public:
    explicit SimClock(const ProcessContext& process) : process_(process) {}
    Instant now() const override { return process_.world.now + process_.skew; }

private:
    const ProcessContext& process_;
};

// A steady clock: it has no skew and is never set.
class SteadyClock final : public Clock {
public:
    explicit SteadyClock(const World& world) : world_(world) {}
    Instant now() const override { return world_.now; }

private:
    const World& world_;
};

// Ids made from the process's clock. Between processes they are only as ordered as the clocks.
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
