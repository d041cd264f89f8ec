// The growing wait between attempts at something that may succeed by itself. Jitter spreads it, so
// that those who failed together do not try again together.
#pragma once
#include <cstdint>

#include "base/instant.hpp"

namespace trackops {

struct BackoffLimits {
    Duration first;    // the wait after the first failure, before jitter
    Duration longest;  // no wait is longer, not even the first
};

// Returns the wait before jitter: `first`, doubled for each failure after the first one, at most
// `longest`. Any number of failures is allowed; less than 1 counts as 1.
Duration doubled_wait(const BackoffLimits& limits, std::int64_t failures);

// Returns doubled_wait() shortened by chance: at most the whole of it, at least half. `chance` is
// in [0, 1) and decides alone: 0 gives the whole, 0.5 three quarters.
Duration jittered_wait(const BackoffLimits& limits, std::int64_t failures, double chance);

// Counts the failures since the last success. Not thread-safe.
class Backoff {
public:
    explicit Backoff(const BackoffLimits& limits) : limits_(limits) {}
    // Counts a failure and returns the jittered wait after it.
    Duration failed(double chance) { return jittered_wait(limits_, ++failures_, chance); }
    // The next failure is the first one again.
    void succeeded() { failures_ = 0; }
    bool has_failed() const { return failures_ > 0; }

private:
    BackoffLimits limits_;
    std::int64_t failures_ = 0;
};

}  // namespace trackops
