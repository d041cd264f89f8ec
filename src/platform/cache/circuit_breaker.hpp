// The delay before a failed server is asked again: 100 ms, doubling to 5 s.
#pragma once
#include <algorithm>
#include <chrono>
#include <optional>

#include "base/instant.hpp"

namespace trackops::cache {

// Not thread-safe. The caller passes the time.
class CircuitBreaker {
public:
    static constexpr Duration wait_min = std::chrono::milliseconds(100);
    static constexpr Duration wait_max = std::chrono::seconds(5);

    // Returns the delay that is left. Zero: the server may be asked now. A clock that stepped back
    // ends the delay.
    Duration left(Instant now) const {
        if (!opened_at_ || now < *opened_at_) return Duration::zero();
        return std::max(Duration::zero(), *opened_at_ + wait_ - now);
    }
    void failed(Instant now) {
        wait_ = opened_at_ ? std::min(wait_ * 2, wait_max) : wait_min;
        opened_at_ = now;
    }
    void succeeded() { opened_at_.reset(); }

private:
    std::optional<Instant> opened_at_;
    Duration wait_ = wait_min;
};

}  // namespace trackops::cache
