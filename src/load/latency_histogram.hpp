// A log-linear histogram of durations in constant memory, exact below 256 us and within 1% above.
#pragma once
#include <cstdint>
#include <vector>

#include "load/report.hpp"
#include "load/run.hpp"

namespace trackops::load {

class LatencyHistogram {
public:
    // Counts a negative duration as zero.
    void add(Duration taken);
    // Computed by the nearest-rank method.
    Percentiles percentiles() const;

private:
    Duration at_rank(std::int64_t rank) const;
    std::vector<std::int64_t> buckets_;
    std::int64_t count_ = 0;
    Duration max_{};
};

}  // namespace trackops::load
