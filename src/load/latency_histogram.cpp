#include "load/latency_histogram.hpp"

#include <algorithm>
#include <bit>

namespace trackops::load {

namespace {

constexpr int precision_bits = 7;
// Each value below `linear` has a bucket of its own.
constexpr std::uint64_t linear = 1U << precision_bits;

std::size_t bucket_of(std::uint64_t micros) {
    if (micros < linear) return micros;
    const int shift = std::bit_width(micros) - precision_bits - 1;
    return (static_cast<std::uint64_t>(shift) << precision_bits) + (micros >> shift);
}

// Returns the largest value of the bucket.
std::uint64_t upper_edge(std::size_t bucket) {
    if (bucket < 2 * linear) return bucket;
    const auto shift = (bucket >> precision_bits) - 1;
    return (((bucket & (linear - 1)) + linear + 1) << shift) - 1;
}

}  // namespace

void LatencyHistogram::add(Duration taken) {
    taken = std::max(taken, Duration::zero());
    const auto bucket = bucket_of(static_cast<std::uint64_t>(taken.count()));
    if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
    ++buckets_[bucket];
    ++count_;
    max_ = std::max(max_, taken);
}

Duration LatencyHistogram::at_rank(std::int64_t rank) const {
    std::int64_t seen = 0;
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
        seen += buckets_[bucket];
        if (seen >= rank) return std::min(max_, Duration(upper_edge(bucket)));
    }
    return max_;
}

Percentiles LatencyHistogram::percentiles() const {
    if (count_ == 0) return {};
    const auto rank = [&](std::int64_t percent) { return (count_ * percent + 99) / 100; };
    return {.count = count_, .p50 = at_rank(rank(50)), .p99 = at_rank(rank(99)), .max = max_};
}

}  // namespace trackops::load
