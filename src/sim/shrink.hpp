// Reduces a failing run to a smaller one that fails in the same way.
#pragma once
#include <cstdint>

#include "sim/simulation.hpp"

namespace trackops::sim {

// Returns the smallest plan found that still breaks the same invariant: with fewer customers,
// actions and faults.
RunPlan shrink(std::uint64_t seed, const RunPlan& plan, const Violation& violation);

}  // namespace trackops::sim
