// When a relay leaves events time to gather.
#pragma once
#include <algorithm>

#include "platform/relay/relay.hpp"

namespace trackops::relay {

// From the read that found so many events to the next one. What comes after a pause, or at once in
// one commit, is no flow.
inline Duration batching_delay(const RelayOptions& options, std::size_t found,
                               Duration since_last_read) {
    if (found < options.batching_threshold || found == options.batch_max) return Duration::zero();
    const std::chrono::duration<double> seconds = std::max(since_last_read, options.batching_delay);
    const bool are_many = static_cast<double>(found) >=
                          static_cast<double>(options.high_rate_per_second) * seconds.count();
    return are_many ? options.high_rate_batching_delay : options.batching_delay;
}

}  // namespace trackops::relay
