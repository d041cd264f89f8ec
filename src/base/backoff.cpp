#include "base/backoff.hpp"

#include <algorithm>
#include <cassert>

namespace trackops {

Duration doubled_wait(const BackoffLimits& limits, std::int64_t failures) {
    constexpr std::int64_t doublings_max = 62;  // more do not fit into a Duration
    const auto doublings = std::clamp<std::int64_t>(failures, 1, doublings_max + 1) - 1;
    // Compares with a part of the longest wait, because the doubled one may not fit.
    if (limits.first.count() > limits.longest.count() >> doublings) return limits.longest;
    return limits.first * (std::int64_t{1} << doublings);
}

Duration jittered_wait(const BackoffLimits& limits, std::int64_t failures, double chance) {
    assert(chance >= 0 && chance < 1);
    const Duration whole = doubled_wait(limits, failures);
    const auto half = static_cast<double>(whole.count() / 2);
    return whole - Duration(static_cast<std::int64_t>(half * chance));
}

}  // namespace trackops
