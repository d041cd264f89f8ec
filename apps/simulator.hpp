// Leads from `trackops sim` to the simulator.
#pragma once
#include <span>
#include <string>

namespace trackops::apps {

// Replaces this process by the program `trackops-sim`, which stands beside this one, with the same
// arguments. Returns only if that fails: prints why and returns 2.
int simulator(std::span<const std::string> arguments, std::span<const std::string> environment);

}  // namespace trackops::apps
