// The port for the time.
#pragma once
#include "base/instant.hpp"

namespace trackops {

class Clock {
public:
    virtual ~Clock() = default;
    // Returns the time of day, UTC. It may step backwards, so correctness must not depend on the
    // order of two results. Thread-safe.
    virtual Instant now() const = 0;
};

}  // namespace trackops
