// Everything that can go wrong in a simulated world, and whether it does so now.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "sim/random_stream.hpp"

namespace trackops::sim {

enum class Fault : std::uint8_t {
    // Of the database's driver: a call of one transaction, or a while for everybody.
    sql_refused,      // begin: no connection
    sql_lost,         // the connection goes in the middle of a transaction
    sql_repeat,       // a serialisation failure
    sql_disk_full,    // a write finds no room
    sql_commit_lost,  // COMMIT did not happen, and its answer is lost
    sql_answer_lost,  // COMMIT happened, and its answer is lost
    sql_outage,       // a database is away for a while
    // Of the bus's driver.
    bus_send_lost,    // a message is not taken
    bus_ack_lost,     // it is taken, its acknowledgement is lost
    bus_duplicated,   // it is taken twice
    bus_slow,         // it is visible late: topics overtake each other
    bus_rebalance,    // a group hands its partitions around
    bus_offset_lost,  // an offset is told later, or never if its member goes
    bus_outage,       // the broker is away for a while
    // Of the cache.
    cache_away,
    cache_evicts,
    cache_stale,  // answers with an entry that was replaced, within its time to live
    // A process dies between two of its port calls.
    crash_at_begin,
    crash_at_flush,
    crash_before_commit,
    crash_after_commit,  // before it hears of it
    crash_before_send,
    crash_in_burst,   // some messages of a burst are taken, others not
    crash_after_ack,  // before it marks anything
    crash_after_poll,
    crash_before_offset,
    crash_after_offset,
    crash_at_cache,
    // Of processes and machines.
    stop,        // a process ends in order and comes back
    clock_jump,  // a machine's clock is set
    preempted,   // another pump runs in the middle of this one
    // Of the network between clients and services.
    request_lost,
    request_duplicated,
    answer_lost,
    // Of transactions on PostgreSQL, as its relay sees them.
    sql_commit_late,  // events become visible after those of later positions
    sql_slow,         // what was read arrives late: it may have been replaced meanwhile
    // Of the bus: a message is refused for good, until somebody changes a limit.
    bus_refuses,
};
inline constexpr std::size_t fault_count = static_cast<std::size_t>(Fault::bus_refuses) + 1;

std::string_view name_of(Fault fault);

using FaultCounts = std::array<std::int64_t, fault_count>;

// What may go wrong in a run: the seed decides what does.
struct FaultPlan {
    std::vector<Fault> never = {};                                 // left out, when shrinking
    std::int64_t most = std::numeric_limits<std::int64_t>::max();  // strikes; then there is peace
};

class Faults {
public:
    // Of each seed some faults are absent, some rare, some frequent: runs differ in kind.
    Faults(std::uint64_t seed, const FaultPlan& plan);
    bool occurs(Fault fault);
    // For faults that the schedule brings: counts one that may happen.
    bool is_possible(Fault fault) const;
    void begin() { is_fault_free_ = false; }
    void stop() { is_fault_free_ = true; }
    bool is_fault_free() const { return is_fault_free_; }
    const FaultCounts& counts() const { return counts_; }
    std::int64_t total() const { return total_; }

private:
    std::array<double, fault_count> rates_{};
    FaultCounts counts_{};
    std::vector<RandomStream> random_streams_;
    std::int64_t total_ = 0;
    const std::int64_t most_;
    bool is_fault_free_ = false;
};

}  // namespace trackops::sim
