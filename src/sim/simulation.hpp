// One run of the whole system in one simulated world: what a seed comes to.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/faults.hpp"
#include "sim/mutants.hpp"
#include "sim/trace_log.hpp"
#include "sim/world.hpp"

namespace trackops::sim {

struct RunPlan {
    int customers = 5;
    int actions = 18;  // of each
    FaultPlan faults = {};
    const Mutant* mutant = nullptr;  // nothing: the product as it is
    TraceLog::Listener listener = nullptr;
};

struct RunResult {
    std::uint64_t seed = 0;
    std::uint64_t hash = 0;  // of the story: equal for equal seeds and plans
    std::optional<Violation> violation;
    FaultCounts faults{};
    std::int64_t fault_total = 0;
    std::int64_t orders = 0;
    std::int64_t steps = 0;
    Duration virtual_time{};  // in the time of the world
    std::map<std::string, std::int64_t>
        states;  // orders, sagas and reservations by where they ended
};

RunResult simulate(std::uint64_t seed, const RunPlan& plan);

// The smallest plan found that still breaks the same invariant: fewer customers, actions, faults.
RunPlan shrink(std::uint64_t seed, const RunPlan& plan, const Violation& violation);

}  // namespace trackops::sim
