// Events a second, averaged over the last ten whole seconds.
#pragma once
#include <array>
#include <cstdint>

#include "base/instant.hpp"

namespace trackops::relay {

class EventRate {
public:
    void add(std::int64_t count, Instant now) {
        Second& second = seconds_[slot(now)];
        if (second.number != number(now)) second = {number(now), 0};
        second.count += count;
    }
    double per_second(Instant now) const {
        std::int64_t sum = 0;
        for (const Second& second : seconds_) {
            const std::int64_t age = number(now) - second.number;
            if (age >= 1 && age <= window) sum += second.count;
        }
        return static_cast<double>(sum) / window;
    }

private:
    static constexpr std::int64_t window = 10;
    struct Second {
        std::int64_t number = INT64_MIN / 2;
        std::int64_t count = 0;
    };
    static std::int64_t number(Instant at) { return at.micros / 1'000'000; }
    static std::size_t slot(Instant at) {
        return static_cast<std::size_t>(number(at)) % (window + 1);
    }
    std::array<Second, window + 1> seconds_;
};

}  // namespace trackops::relay
