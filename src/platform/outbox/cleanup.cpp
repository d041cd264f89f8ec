#include "platform/outbox/cleanup.hpp"

#include <algorithm>

#include "platform/idempotency/keys.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::outbox {
namespace {

// Positions follow time closely enough: the search ends at the first event that is too young,
// instead of walking through all of them. What an open window has published stays until the window
// is closed.
constexpr sql::Query delete_events{.name = "cleanup.outbox",
                                   .text = R"sql(
    DELETE FROM outbox_events WHERE position IN (
        SELECT position FROM outbox_events
        WHERE position <= (SELECT position FROM relay_checkpoint)
          AND position < coalesce((SELECT position FROM outbox_events WHERE occurred_at >= $1
                                   ORDER BY position LIMIT 1), 9223372036854775807)
          AND NOT EXISTS (SELECT 1 FROM relay_parked_events AS parked
                          WHERE parked.position = outbox_events.position)
        ORDER BY position LIMIT $2)
)sql",
                                   .postgres = R"sql(
    DELETE FROM outbox_events WHERE position IN (
        SELECT position FROM outbox_events
        WHERE pg_visible_in_snapshot(xid, (SELECT base FROM relay.checkpoint))
          AND position < coalesce((SELECT position FROM outbox_events WHERE occurred_at >= $1
                                   ORDER BY position LIMIT 1), 9223372036854775807)
          AND NOT EXISTS (SELECT 1 FROM relay.parked_events AS parked
                          WHERE parked.position = outbox_events.position)
        ORDER BY position LIMIT $2)
)sql"};

// SKIP LOCKED: cleanup waits for no one, so it has no part in any deadlock.
constexpr sql::Query delete_claims{.name = "cleanup.claims",
                                   .text = R"sql(
    DELETE FROM processed_events WHERE (event_id, consumer) IN (
        SELECT event_id, consumer FROM processed_events WHERE processed_at < $1
        ORDER BY processed_at LIMIT $2)
)sql",
                                   .postgres = R"sql(
    DELETE FROM processed_events WHERE (event_id, consumer) IN (
        SELECT event_id, consumer FROM processed_events WHERE processed_at < $1
        ORDER BY processed_at LIMIT $2 FOR UPDATE SKIP LOCKED)
)sql"};

std::size_t run_delete(sql::Database& database, const sql::Query& query, Instant before,
                       std::size_t most) {
    const auto tx = database.begin(sql::Access::write);
    const sql::Statement& deleted = tx->add(query, {before, static_cast<std::int64_t>(most)});
    tx->commit();
    return deleted.affected();
}

}  // namespace

Cleanup::Cleanup(sql::Database& database, const Clock& clock, CleanupOptions options,
                 telemetry::Registry& metrics)
    : database_(database), clock_(clock), options_(options), metrics_(metrics) {}

runtime::Progress Cleanup::run(Duration) {
    const Instant now = clock_.now();
    std::size_t most = 0;
    std::size_t sum = 0;
    const auto count = [&](const char* table, std::size_t deleted) {
        metrics_
            .counter("trackops_cleanup_deleted_total", "Rows deleted past retention",
                     {{"table", table}})
            .add(static_cast<double>(deleted));
        most = std::max(most, deleted);
        sum += deleted;
    };
    count("outbox_events",
          run_delete(database_, delete_events, now - options_.outbox_retention, options_.rows_max));
    count("processed_events",
          run_delete(database_, delete_claims, now - options_.claims_retention, options_.rows_max));
    count("idempotency_keys", idempotency::forget_expired(database_, now, options_.rows_max));
    return {sum, most >= options_.rows_max ? Duration::zero() : options_.interval};
}

}  // namespace trackops::outbox
