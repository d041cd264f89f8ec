#pragma once
#include <span>
#include <string>

namespace trackops::apps {

// Runs `trackops sim`: simulated worlds. Returns the exit code: 0, 1 if an invariant was broken or
// a fault never occurred, or 2 for bad arguments.
int sim(std::span<const std::string> arguments, std::span<const std::string> environment);

}  // namespace trackops::apps
