// Runs the whole system in one simulated world that a seed decides.
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
    int actions = 18;  // actions of each customer
    FaultPlan faults = {};
    const Mutant* mutant = nullptr;  // nullptr: the unchanged product
    TraceLog::Listener listener = nullptr;
};

struct RunResult {
    std::uint64_t seed = 0;
    std::uint64_t hash = 0;  // of the trace log: equal for equal seeds and plans
    std::optional<Violation> violation;
    FaultCounts faults{};
    std::int64_t fault_total = 0;
    std::int64_t orders = 0;
    std::int64_t steps = 0;
    Duration virtual_time{};  // the world's time that passed
    // How many orders, sagas and reservations ended in each status, by "order PENDING" etc.
    std::map<std::string, std::int64_t> states;
};

RunResult simulate(std::uint64_t seed, const RunPlan& plan);

}  // namespace trackops::sim
