// Keeps the messaging tables small: what is behind the relay's checkpoint and old, claims past
// retention, expired keys.
#pragma once
#include <functional>

#include "base/clock.hpp"
#include "platform/runtime/pump.hpp"
#include "platform/sql/database.hpp"

namespace trackops::telemetry {
class Registry;
}

namespace trackops::outbox {

struct CleanupOptions {
    Duration outbox_retention =
        std::chrono::hours(24);  // since it occurred; what is not confirmed stays however old
    Duration claims_retention = std::chrono::hours(24 * 8);  // longer than the topics retain
    Duration interval = std::chrono::seconds(30);
    std::size_t rows_max = 5'000;  // a table and call; more: called again at once
    // PostgreSQL only.
    std::int64_t partition_positions = 1'000'000;
    std::int64_t partitions_ahead = 3;                // with no event in them yet
    Duration after_a_lock = std::chrono::seconds(1);  // when somebody held one for too long
};

// Works in bounded steps, and never on an outbox event that the checkpoint has not passed, or that
// is parked. Where the outbox is partitioned (PostgreSQL) it makes partitions ahead of need and
// drops them whole, giving way to everyone: see migrations/0003. An event dated further ahead than
// the retention is taken for the mistake of a clock and keeps nothing. Of several replicas one
// works at a time, the others pass on.
class Cleanup final : public runtime::Pump {
public:
    Cleanup(sql::Database& database, const Clock& clock, CleanupOptions options,
            telemetry::Registry& metrics);
    runtime::Progress run(Duration max_wait) override;

private:
    std::size_t delete_rows(const sql::Query& query, sql::Params params);
    void make_partitions();
    std::size_t drop_partition(Instant before, Instant horizon);
    bool gives_way(const std::function<void()>& work);
    void count(const char* table, std::size_t deleted);

    sql::Database& database_;
    const Clock& clock_;
    const CleanupOptions options_;
    telemetry::Registry& metrics_;
    bool is_overflowing_ = false;
};

}  // namespace trackops::outbox
