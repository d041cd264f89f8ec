// The faults of a simulated world, and the decision whether one occurs now.
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
    // The database driver: sql_outage affects all processes for a while, the others one call.
    sql_refused,      // begin() gets no connection
    sql_lost,         // the connection is lost in the middle of a transaction
    sql_repeat,       // a serialisation failure
    sql_disk_full,    // the disk is full at a write
    sql_commit_lost,  // COMMIT did not take effect, and its answer is lost
    sql_answer_lost,  // COMMIT took effect, and its answer is lost
    sql_outage,       // a database is unavailable for a while
    // The bus driver.
    bus_send_lost,    // the broker does not append a message
    bus_ack_lost,     // a message is appended, its acknowledgement is lost
    bus_duplicated,   // a message is appended twice
    bus_slow,         // a message becomes visible late: topics overtake each other
    bus_rebalance,    // a group reassigns its partitions
    bus_offset_lost,  // an offset is committed later, or never if the member leaves
    bus_outage,       // the broker is unavailable for a while
    // The cache.
    cache_away,
    cache_evicts,
    cache_stale,  // returns a replaced entry, within its time to live
    // A process dies at one of its port calls.
    crash_at_begin,
    crash_at_flush,
    crash_before_commit,
    crash_after_commit,  // before it learns that the commit succeeded
    crash_before_send,
    crash_in_burst,   // some messages of a burst are appended, others not
    crash_after_ack,  // before it records the acknowledgements
    crash_after_poll,
    crash_before_offset,
    crash_after_offset,
    crash_at_cache,
    // Processes and machines.
    stop,        // a process shuts down in order and restarts
    clock_jump,  // a machine's clock is set
    preempted,   // other pumps run in the middle of this one
    // The network between clients and services.
    request_lost,
    request_duplicated,
    answer_lost,
    // Transactions on PostgreSQL, as the relay sees them.
    sql_commit_late,  // events become visible after events at later positions
    // The result of a read arrives late: the rows may have changed by then.
    sql_slow,
    // The bus refuses a message for good, until its limits are changed.
    bus_refuses,
    // An entry reaches the cache server after the next one of its key.
    cache_late,
};
inline constexpr std::size_t fault_count = static_cast<std::size_t>(Fault::cache_late) + 1;

std::string_view name_of(Fault fault);

using FaultCounts = std::array<std::int64_t, fault_count>;

// Bounds the faults of a run. Within these bounds the seed decides.
struct FaultPlan {
    // The faults that shrinking has excluded.
    std::vector<Fault> never = {};
    // The maximum number of faults. After that the run has no more.
    std::int64_t most = std::numeric_limits<std::int64_t>::max();
};

class Faults {
public:
    // For each seed some faults are absent, some rare and some frequent, so that runs differ in
    // kind.
    Faults(std::uint64_t seed, const FaultPlan& plan);
    bool occurs(Fault fault);
    // Returns true if the fault can still occur in this run. Draws no number and counts nothing.
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
