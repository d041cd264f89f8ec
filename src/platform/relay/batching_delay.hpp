// How long a relay under load waits from one read to the next, so that events gather.
#pragma once
#include <algorithm>

#include "platform/relay/relay.hpp"

namespace trackops::relay {

// Returns the wait from a read that found `found` events to the next read (RelayOptions says when
// there is one). Events that come after a pause, or many in one commit, are no load: the rate is
// taken over at least options.batching_delay.
inline Duration batching_delay(const RelayOptions& options, std::size_t found,
                               Duration since_last_read) {
    if (found < options.batching_threshold || found == options.batch_max) return Duration::zero();
    const std::chrono::duration<double> seconds = std::max(since_last_read, options.batching_delay);
    const bool are_many = static_cast<double>(found) >=
                          static_cast<double>(options.high_rate_per_second) * seconds.count();
    return are_many ? options.high_rate_batching_delay : options.batching_delay;
}

}  // namespace trackops::relay
