// The port through which chance comes in.
#pragma once
#include "base/uuid.hpp"

namespace trackops {

class Ids {
public:
    virtual ~Ids() = default;
    // A new UUIDv7: identity, never order. Thread-safe.
    virtual Uuid next() = 0;
};

}  // namespace trackops
