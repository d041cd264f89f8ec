// A unit of background work that owns no thread. The runtime or the simulator calls it.
#pragma once
#include <chrono>
#include <cstddef>
#include <string>

#include "base/instant.hpp"

namespace trackops::runtime {

struct Progress {
    std::size_t done = 0;  // units of work done by this call
    // How long the driver may wait before the next call. Zero: more work is ready now.
    Duration call_again_in = Duration::zero();
};

class Pump {
public:
    virtual ~Pump() = default;
    // Does at most one bounded batch of work. Waits at most max_wait on the pump's own source for
    // work to appear. May throw: the driver counts and logs the exception and backs off. Two
    // threads never call it at once, unless the pump documents that it allows this.
    virtual Progress run(Duration max_wait) = 0;
    // Ends a wait inside run() early: the current one, or that of the next call. If several threads
    // are inside run(), at least one returns. Thread-safe; does not block.
    virtual void wake() {}
};

// A pump with its name and the number of threads that its module wants for it.
struct NamedPump {
    std::string name;
    Pump& pump;
    int threads = 1;
};

}  // namespace trackops::runtime
