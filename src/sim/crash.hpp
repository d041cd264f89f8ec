// The death of a process between two of its port calls. No std::exception: nothing but the
// simulator's runtime may catch it.
#pragma once

namespace trackops::sim {

struct Crash {};

}  // namespace trackops::sim
