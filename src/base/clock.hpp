// The port through which time comes in.
#pragma once
#include "base/instant.hpp"

namespace trackops {

class Clock {
public:
    virtual ~Clock() = default;
    // The time of day. May step backwards; nothing that must be right rests on its order.
    // Thread-safe.
    virtual Instant now() const = 0;
};

}  // namespace trackops
