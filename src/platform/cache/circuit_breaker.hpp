// The delay before a failed server is asked again: a backoff from 100 ms to 5 s.
#pragma once
#include <algorithm>
#include <chrono>

#include "base/backoff.hpp"
#include "base/chance.hpp"
#include "base/instant.hpp"

namespace trackops::cache {

// Not thread-safe. The caller passes the time.
class CircuitBreaker {
public:
    static constexpr Duration wait_min = std::chrono::milliseconds(100);
    static constexpr Duration wait_max = std::chrono::seconds(5);

    // `chance` outlives this; it draws the jitter.
    explicit CircuitBreaker(Chance& chance = system_chance()) : chance_(chance) {}

    // Returns the delay that is left. Zero: the server may be asked now. A clock that stepped back
    // ends the delay.
    Duration left(Instant now) const {
        if (!is_open_ || now < opened_at_) return Duration::zero();
        return std::max(Duration::zero(), opened_at_ + wait_ - now);
    }
    void failed(Instant now) {
        wait_ = backoff_.failed(chance_.draw());
        is_open_ = true;
        opened_at_ = now;
    }
    void succeeded() {
        backoff_.succeeded();
        is_open_ = false;
    }

private:
    Chance& chance_;
    Backoff backoff_{{wait_min, wait_max}};
    bool is_open_ = false;
    Instant opened_at_{};  // the last failure
    Duration wait_ = Duration::zero();
};

}  // namespace trackops::cache
