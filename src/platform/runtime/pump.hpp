// A unit of background work that owns no thread: the runtime or the simulator drives it.
#pragma once
#include <chrono>
#include <cstddef>
#include <string>

#include "base/instant.hpp"

namespace trackops::runtime {

struct Progress {
    std::size_t done = 0;  // units of work done by this call
    // How long the driver may leave it alone. Zero: there is more to do now.
    Duration call_again_in = Duration::zero();
};

class Pump {
public:
    virtual ~Pump() = default;
    // Does at most one bounded batch of work, waiting on its own source no longer than max_wait for
    // work to appear. May throw: the driver counts it, logs it and backs off. Never called by two
    // threads at once unless the pump says that it allows it.
    virtual Progress run(Duration max_wait) = 0;
    // Ends a wait inside run() early, now or at the next call; of several callers at least one.
    // Thread-safe, does not block.
    virtual void wake() {}
};

// A pump as its module wants it driven: under a name, by so many threads.
struct NamedPump {
    std::string name;
    Pump& pump;
    int threads = 1;
};

}  // namespace trackops::runtime
