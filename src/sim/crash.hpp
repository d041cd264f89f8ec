// The exception that kills a simulated process at one of its port calls. It does not derive from
// std::exception, because only the simulator may catch it.
#pragma once

namespace trackops::sim {

struct Crash {};

}  // namespace trackops::sim
