#pragma once
#include <span>
#include <string>

namespace trackops::apps {

// `trackops sim`: runs simulated worlds. Exit code 0; 1 when an invariant was broken or a fault
// never struck; 2 for bad arguments.
int sim(std::span<const std::string> arguments, std::span<const std::string> environment);

}  // namespace trackops::apps
