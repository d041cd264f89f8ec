// How often work is repeated that must not take more than a part of the time.
#pragma once
#include <algorithm>

#include "base/instant.hpp"

namespace trackops::runtime {

// Returns the pause after work that took `took`, so that it takes at most one part in `parts` of
// the time; at least `min`, at most `max`.
constexpr Duration pause_after(Duration took, int parts, Duration min, Duration max) {
    return std::clamp(took * (parts - 1), min, max);
}

}  // namespace trackops::runtime
