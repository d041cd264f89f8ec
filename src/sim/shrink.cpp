#include "sim/shrink.hpp"

#include <algorithm>
#include <array>

namespace trackops::sim {
namespace {

bool breaks_same_invariant(std::uint64_t seed, const RunPlan& plan, const Violation& violation) {
    const RunResult outcome = simulate(seed, plan);
    return outcome.violation && outcome.violation->invariant == violation.invariant;
}

}  // namespace

RunPlan shrink(std::uint64_t seed, const RunPlan& plan, const Violation& violation) {
    RunPlan least = plan;
    least.listener = nullptr;
    const auto try_out = [&](const RunPlan& smaller) {
        const bool still_fails = breaks_same_invariant(seed, smaller, violation);
        if (still_fails) least = smaller;
        return still_fails;
    };
    for (int customers = 1; customers < least.customers; ++customers) {
        RunPlan smaller = least;
        smaller.customers = customers;
        if (try_out(smaller)) break;
    }
    for (int actions = least.actions / 2; actions > 0; actions /= 2) {
        RunPlan smaller = least;
        smaller.actions = actions;
        if (!try_out(smaller)) break;
    }
    for (std::size_t i = 0; i < fault_count; ++i) {
        RunPlan smaller = least;
        smaller.faults.never.push_back(static_cast<Fault>(i));
        try_out(smaller);
    }
    // Finds by halving how many of the first faults are enough.
    std::int64_t enough = simulate(seed, least).fault_total;
    for (std::int64_t step = (enough + 1) / 2; enough > 0;) {
        RunPlan smaller = least;
        smaller.faults.most = std::max<std::int64_t>(0, enough - step);
        if (try_out(smaller))
            enough = smaller.faults.most;
        else if (step == 1)
            break;
        step = std::max<std::int64_t>(1, step / 2);
    }
    return least;
}

}  // namespace trackops::sim
