// How long things took, in constant memory: a log-linear histogram, exact below 256 us and to 1%
// above.
#pragma once
#include <cstdint>
#include <vector>

#include "load/load.hpp"

namespace trackops::load {

class LatencyHistogram {
public:
    void add(Duration taken);         // below zero counts as zero
    Percentiles percentiles() const;  // by nearest rank

private:
    Duration at_rank(std::int64_t rank) const;
    std::vector<std::int64_t> buckets_;
    std::int64_t count_ = 0;
    Duration max_{};
};

}  // namespace trackops::load
