#include "platform/outbox/cleanup.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "platform/idempotency/keys.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::outbox {
namespace {

// Positions follow time closely enough, so the search ends at the first event that is too young.
constexpr sql::Query delete_events{.name = "cleanup.outbox", .text = R"sql(
    DELETE FROM outbox_events WHERE position IN (
        SELECT position FROM outbox_events
        WHERE position <= (SELECT position FROM relay_checkpoint)
          AND position < coalesce((SELECT position FROM outbox_events
                                   WHERE occurred_at >= $1 AND occurred_at < $2
                                   ORDER BY position LIMIT 1), 9223372036854775807)
          AND NOT EXISTS (SELECT 1 FROM relay_parked_events AS parked
                          WHERE parked.position = outbox_events.position)
        ORDER BY position LIMIT $3)
)sql"};
constexpr sql::Query make_partitions{
    .name = "cleanup.make_partitions",
    .text = "SELECT made, overflows FROM outbox_make_partitions($1::bigint, $2::bigint)"};
constexpr sql::Query drop_partition{
    .name = "cleanup.drop_partition",
    .text = "SELECT outbox_drop_partition($1::timestamptz, $2::timestamptz)"};
constexpr sql::Query drain_overflow{
    .name = "cleanup.overflow",
    .text = "SELECT outbox_drain_overflow($1::timestamptz, $2::timestamptz, $3::bigint)"};

// With SKIP LOCKED cleanup waits for no lock, so it takes part in no deadlock.
constexpr sql::Query delete_claims{.name = "cleanup.claims",
                                   .text = R"sql(
    DELETE FROM processed_events WHERE (event_id, consumer) IN (
        SELECT event_id, consumer FROM processed_events WHERE processed_at < $1
        ORDER BY processed_at LIMIT $2)
)sql",
                                   .postgres = R"sql(
    DELETE FROM processed_events WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM processed_events WHERE processed_at < $1
        ORDER BY processed_at LIMIT $2 FOR UPDATE SKIP LOCKED))
)sql"};

std::vector<sql::Row> rows_of(sql::Database& database, const sql::Query& query,
                              sql::Params params) {
    const auto tx = database.begin(sql::Access::write);
    const sql::Statement& answer = tx->add(query, std::move(params));
    tx->commit();
    return answer.rows();
}

}  // namespace

Cleanup::Cleanup(sql::Database& database, const Clock& clock, CleanupOptions options,
                 telemetry::Registry& metrics)
    : database_(database), clock_(clock), options_(options), metrics_(metrics) {}

runtime::Progress Cleanup::run(Duration) {
    const Instant now = clock_.now();
    const Instant before = now - options_.outbox_retention;
    const Instant horizon = now + options_.outbox_retention;
    const auto rows_max = static_cast<std::int64_t>(options_.rows_max);
    std::size_t events = 0;
    std::size_t dropped = 0;
    bool has_given_way = false;
    if (database_.dialect() == sql::Dialect::postgres) {
        has_given_way |= gives_way([&] { make_partitions(); });
        has_given_way |= gives_way([&] { dropped = drop_partition(before, horizon); });
        has_given_way |= gives_way([&] {
            const auto rows = rows_of(database_, drain_overflow, {before, horizon, rows_max});
            events = static_cast<std::size_t>(rows.at(0).integer(0));
        });
    } else {
        events = delete_rows(delete_events, {before, horizon, rows_max});
    }
    const std::size_t claims =
        delete_rows(delete_claims, {now - options_.claims_retention, rows_max});
    const std::size_t keys = idempotency::forget_expired(database_, now, options_.rows_max);
    count("outbox_events", events);
    count("processed_events", claims);
    count("idempotency_keys", keys);
    const bool has_more = dropped > 0 || std::max({events, claims, keys}) >= options_.rows_max;
    return {dropped + events + claims + keys, has_more        ? Duration::zero()
                                              : has_given_way ? options_.after_a_lock
                                                              : options_.interval};
}

std::size_t Cleanup::delete_rows(const sql::Query& query, sql::Params params) {
    const auto tx = database_.begin(sql::Access::write);
    const sql::Statement& deleted = tx->add(query, std::move(params));
    tx->commit();
    return deleted.affected();
}

void Cleanup::make_partitions() {
    const auto rows = rows_of(database_, outbox::make_partitions,
                              {options_.partition_positions, options_.partitions_ahead});
    const bool overflows = rows.at(0).boolean(1);
    if (overflows && !is_overflowing_) {
        telemetry::log(
            telemetry::Level::warn, "cleanup",
            "the outbox has run out of partitions: events are in outbox_events_overflow");
    }
    is_overflowing_ = overflows;
    metrics_
        .gauge("trackops_outbox_overflowing",
               "1 while events stand in outbox_events_overflow: partitions were made too late")
        .set(overflows ? 1 : 0);
    metrics_.counter("trackops_outbox_partitions_made_total", "Partitions of the outbox made")
        .add(static_cast<double>(rows.at(0).integer(0)));
}

std::size_t Cleanup::drop_partition(Instant before, Instant horizon) {
    const auto rows = rows_of(database_, outbox::drop_partition, {before, horizon});
    const auto name = rows.at(0).maybe_text(0);
    telemetry::Counter& dropped = metrics_.counter("trackops_outbox_partitions_dropped_total",
                                                   "Partitions of the outbox dropped whole");
    if (!name) return 0;
    dropped.add();
    telemetry::log(telemetry::Level::info, "cleanup", "dropped a partition of the outbox",
                   {{"partition", *name}});
    return 1;
}

// Returns true when another session held a lock; the work waits for the next turn.
bool Cleanup::gives_way(const std::function<void()>& work) {
    try {
        work();
        return false;
    } catch (const sql::Failure& failure) {
        if (failure.sqlstate != "55P03" && failure.fault != sql::Fault::retryable) throw;
        telemetry::log(telemetry::Level::debug, "cleanup", "gave way", {{"error", failure.what()}});
    }
    metrics_
        .counter("trackops_cleanup_gave_way_total",
                 "Partitions not made or dropped now, so that nobody waits")
        .add();
    return true;
}

void Cleanup::count(const char* table, std::size_t deleted) {
    metrics_
        .counter("trackops_cleanup_deleted_total", "Rows deleted past retention",
                 {{"table", table}})
        .add(static_cast<double>(deleted));
}

}  // namespace trackops::outbox
