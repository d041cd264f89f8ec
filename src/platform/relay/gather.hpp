// When a relay leaves events time to gather.
#pragma once
#include <algorithm>

#include "platform/relay/relay.hpp"

namespace trackops::relay {

// From the read that found so many events to the next one. What comes after a pause, or at once in
// one commit, is no flow.
inline Duration gather_time(const RelayOptions& options, std::size_t found,
                            Duration since_last_read) {
    if (found < options.gather_from || found == options.batch_max) return Duration::zero();
    const std::chrono::duration<double> seconds = std::max(since_last_read, options.gather_time);
    const bool are_many =
        static_cast<double>(found) >= static_cast<double>(options.many_a_second) * seconds.count();
    return are_many ? options.gather_time_of_many : options.gather_time;
}

}  // namespace trackops::relay
