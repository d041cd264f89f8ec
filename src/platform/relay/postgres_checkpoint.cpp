#include "platform/relay/postgres_checkpoint.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "platform/outbox/stored_event.hpp"
#include "platform/relay/async_commit.hpp"

namespace trackops::relay {
namespace {

constexpr sql::Query select_checkpoint{
    .name = "relay.checkpoint.load",
    .text = "SELECT base::text, target::text, cursor, lsn::text FROM relay.checkpoint"};

constexpr sql::Query upsert_checkpoint{.name = "relay.checkpoint.save", .text = R"sql(
    INSERT INTO relay.checkpoint (id, base, target, cursor, lsn)
    VALUES (1, $1::text::pg_snapshot, $2::text::pg_snapshot, $3::bigint, $4::text::pg_lsn)
    ON CONFLICT (id) DO UPDATE
    SET base = excluded.base, target = excluded.target, cursor = excluded.cursor, lsn = excluded.lsn
)sql"};

// $6 maps a transaction to the position up to which its events are confirmed. It is a JSON object
// and no join: our sessions join by single look-ups, and there may be tens of thousands of entries.
constexpr sql::Query select_backlog{.name = "relay.backlog", .text = R"sql(
    SELECT count(*), min(occurred_at), min(position), max(position) FROM (
        (SELECT position, occurred_at FROM outbox_events
         WHERE xid >= $1::text::xid8
           AND (position > $4::bigint
                OR NOT pg_visible_in_snapshot(xid, (SELECT $3::text::pg_snapshot)))
           AND (position <= ($6::jsonb ->> xid::text)::bigint) IS NOT TRUE
         ORDER BY xid LIMIT $5::bigint)
        UNION ALL
        (SELECT position, occurred_at FROM outbox_events
         WHERE xid = ANY (string_to_array($2::text, ',')::xid8[])
           AND (position > $4::bigint
                OR NOT pg_visible_in_snapshot(xid, (SELECT $3::text::pg_snapshot)))
           AND (position <= ($6::jsonb ->> xid::text)::bigint) IS NOT TRUE
         LIMIT $5::bigint)
        LIMIT $5::bigint) AS fresh
)sql"};

constexpr sql::Query select_unconfirmed{.name = "relay.unconfirmed", .text = R"sql(
    SELECT * FROM (
        (SELECT position, event_id, aggregate_id, type, sequence, payload, correlation_id,
                causation_id, traceparent, tracestate, occurred_at
         FROM outbox_events
         WHERE xid >= $1::text::xid8 AND position > $7::bigint
           AND (position > $4::bigint
                OR NOT pg_visible_in_snapshot(xid, (SELECT $3::text::pg_snapshot)))
           AND (position <= ($6::jsonb ->> xid::text)::bigint) IS NOT TRUE
         ORDER BY xid LIMIT $5::bigint)
        UNION ALL
        (SELECT position, event_id, aggregate_id, type, sequence, payload, correlation_id,
                causation_id, traceparent, tracestate, occurred_at
         FROM outbox_events
         WHERE xid = ANY (string_to_array($2::text, ',')::xid8[]) AND position > $7::bigint
           AND (position > $4::bigint
                OR NOT pg_visible_in_snapshot(xid, (SELECT $3::text::pg_snapshot)))
           AND (position <= ($6::jsonb ->> xid::text)::bigint) IS NOT TRUE
         LIMIT $5::bigint)) AS fresh
    ORDER BY position LIMIT $8::bigint
)sql"};

void save(sql::Transaction& tx, const Window& window, sql::Value lsn) {
    tx.add(async_commit, {});
    sql::Value target = sql::Null{};
    if (window.target) target = window.target->text;
    tx.add(upsert_checkpoint, {window.base.text, std::move(target), window.cursor, std::move(lsn)});
}

sql::Params waiting_params(const Window& at, const ConfirmedPositions& done) {
    std::string up_to;  // numbers as text, because ->> returns text
    for (const auto& [xid, position] : done)
        up_to += fmt::format(R"({}"{}":"{}")", up_to.empty() ? '{' : ',', xid, position);
    up_to += up_to.empty() ? "{}" : "}";
    const outbox::Snapshot& target = at.target ? *at.target : at.base;
    return {std::to_string(at.base.xmax), at.base.xip, target.text, at.cursor, backlog_counted_max,
            sql::Json{std::move(up_to)}};
}

}  // namespace

outbox::Snapshot snapshot_of(const std::string& text) {
    auto parsed = outbox::Snapshot::parse(text);
    if (!parsed) throw std::logic_error("no snapshot: " + text);
    return *std::move(parsed);
}

Checkpoint load_checkpoint(sql::Transaction& tx) {
    const sql::Statement& found = tx.add(select_checkpoint, {});
    tx.flush();
    if (found.rows().empty()) {
        return {.window = {snapshot_of(std::string(outbox::snapshot_before_everything)), {}, 0},
                .wal = {},
                .is_first = true};
    }
    const sql::Row& row = found.rows().front();
    Checkpoint checkpoint{.window = {snapshot_of(row.text(0)), {}, row.integer(2)}, .wal = {}};
    if (const auto target = row.maybe_text(1)) checkpoint.window.target = snapshot_of(*target);
    if (const auto text = row.maybe_text(3)) {
        const auto lsn = pgoutput::Lsn::parse(*text);
        if (!lsn) throw std::logic_error("no pg_lsn: " + *text);
        checkpoint.wal = WalPosition{*lsn, row.integer(2)};
        checkpoint.window.cursor = 0;
    }
    return checkpoint;
}

void save_checkpoint(sql::Transaction& tx, const Window& window) { save(tx, window, sql::Null{}); }

void save_checkpoint(sql::Transaction& tx, const outbox::Snapshot& base, const WalPosition& wal) {
    save(tx, {base, {}, wal.cursor}, wal.lsn.text());
}

Waiting count_waiting(sql::Transaction& tx, const Window& window, const ConfirmedPositions& done) {
    const sql::Statement& counted = tx.add(select_backlog, waiting_params(window, done));
    tx.flush();
    const sql::Row& row = counted.rows().at(0);
    return {row.integer(0), row.maybe_instant(1), row.maybe_integer(2).value_or(0),
            row.maybe_integer(3).value_or(0)};
}

Backlog count_backlog(sql::Database& database, const ConfirmedPositions& done, Instant now) {
    const auto tx = database.begin(sql::Access::read);
    const Checkpoint at = load_checkpoint(*tx);
    const Waiting waiting = count_waiting(*tx, at.window, done);
    std::string position = at.window.base.text;
    if (at.window.target) {
        position += " -> " + at.window.target->text + " @ " + std::to_string(at.window.cursor);
    }
    if (at.wal) position += " / " + at.wal->lsn.text();
    return {.events = waiting.events,
            .oldest_age = std::max(now - waiting.oldest.value_or(now), Duration::zero()),
            .position = std::move(position)};
}

std::vector<outbox::StoredEvent> list_unconfirmed(sql::Database& database,
                                                  const ConfirmedPositions& done,
                                                  std::int64_t after, std::size_t max) {
    const auto tx = database.begin(sql::Access::read);
    sql::Params params = waiting_params(load_checkpoint(*tx).window, done);
    params.emplace_back(after);
    params.emplace_back(static_cast<std::int64_t>(max));
    const sql::Statement& found = tx->add(select_unconfirmed, std::move(params));
    tx->commit();
    return outbox::stored_events(found.rows());
}

}  // namespace trackops::relay
