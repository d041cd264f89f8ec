// Cleanup deletes old rows of the messaging tables: confirmed events, claims past their retention,
// expired idempotency keys.
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
    // Counted from occurred_at. An event that is not confirmed stays, however old.
    Duration outbox_retention = std::chrono::hours(24);
    Duration claims_retention = std::chrono::hours(24 * 8);  // longer than the topics retain
    Duration interval = std::chrono::seconds(30);
    std::size_t rows_max = 5'000;  // per table and call; with more, run() asks to be called at once
    // PostgreSQL only.
    std::int64_t partition_positions = 1'000'000;
    std::int64_t partitions_ahead = 3;                // partitions without an event
    Duration after_a_lock = std::chrono::seconds(1);  // the wait after a lock that was not free
};

// Cleanup works in bounded steps. It deletes no event that the checkpoint has not passed, and no
// parked event. On PostgreSQL, where the outbox is partitioned, it creates partitions ahead of need
// and drops whole partitions; every other session takes precedence (migrations/0003). An event
// dated further ahead than the retention is an error of a clock and delays no deletion. Of several
// replicas one works at a time; the others skip the turn.
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
