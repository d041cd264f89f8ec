// The port for new ids, and so for randomness.
#pragma once
#include "base/uuid.hpp"

namespace trackops {

class Ids {
public:
    virtual ~Ids() = default;
    // Returns a new UUIDv7 (RFC 9562). Ids identify; the order of ids must not be relied on for
    // correctness. Thread-safe.
    virtual Uuid next() = 0;
};

}  // namespace trackops
