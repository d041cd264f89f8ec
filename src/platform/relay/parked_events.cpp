#include "platform/relay/parked_events.hpp"

#include <utility>

#include "platform/audit_log/acts.hpp"
#include "platform/outbox/stored_event.hpp"
#include "platform/relay/lease.hpp"

namespace trackops::relay {
namespace {

constexpr sql::Query select_keys{.name = "relay.parked.keys",
                                 .text = R"sql(
    SELECT parked.aggregate_id, parked.reason FROM relay_parked_events AS parked
    JOIN (SELECT min(position) AS position FROM relay_parked_events GROUP BY aggregate_id) AS head
      ON head.position = parked.position
)sql",
                                 .postgres = R"sql(
    SELECT parked.aggregate_id, parked.reason FROM relay.parked_events AS parked
    JOIN (SELECT min(position) AS position FROM relay.parked_events GROUP BY aggregate_id) AS head
      ON head.position = parked.position
)sql"};

constexpr sql::Query count_parked{
    .name = "relay.parked.count",
    .text = "SELECT count(*), count(DISTINCT aggregate_id) FROM relay_parked_events",
    .postgres = "SELECT count(*), count(DISTINCT aggregate_id) FROM relay.parked_events"};

constexpr sql::Query insert_parked{.name = "relay.park",
                                   .text = R"sql(
    INSERT INTO relay_parked_events (event_id, aggregate_id, type, sequence, payload, correlation_id,
                                     causation_id, traceparent, tracestate, occurred_at, position,
                                     reason, parked_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING
)sql",
                                   .postgres_batch = R"sql(
    INSERT INTO relay.parked_events (event_id, aggregate_id, type, sequence, payload, correlation_id,
                                     causation_id, traceparent, tracestate, occurred_at, position,
                                     reason, parked_at)
    SELECT unnest($1::uuid[]), unnest($2::uuid[]), unnest($3::text[]), unnest($4::bigint[]), unnest($5::json[]),
           unnest($6::text[]), unnest($7::text[]), unnest($8::text[]), unnest($9::text[]), unnest($10::timestamptz[]),
           unnest($11::bigint[]), unnest($12::text[]), unnest($13::timestamptz[])
    ON CONFLICT DO NOTHING
)sql"};

constexpr sql::Query delete_parked{
    .name = "relay.unpark",
    .text = "DELETE FROM relay_parked_events WHERE position = $1",
    .postgres = "DELETE FROM relay.parked_events WHERE position = $1"};

constexpr sql::Query mark_parked_refused{
    .name = "relay.parked.mark_refused",
    .text = "UPDATE relay_parked_events SET reason = $2, parked_at = $3 WHERE position = $1",
    .postgres = "UPDATE relay.parked_events SET reason = $2, parked_at = $3 WHERE position = $1"};

constexpr sql::Query select_by_id{.name = "relay.parked.by_id",
                                  .text = R"sql(
    SELECT position, event_id, aggregate_id, type, sequence, payload, correlation_id, causation_id,
           traceparent, tracestate, occurred_at, reason, parked_at
    FROM relay_parked_events WHERE event_id = $1
)sql",
                                  .postgres = R"sql(
    SELECT position, event_id, aggregate_id, type, sequence, payload, correlation_id, causation_id,
           traceparent, tracestate, occurred_at, reason, parked_at
    FROM relay.parked_events WHERE event_id = $1
)sql"};

constexpr sql::Query select_of_key{.name = "relay.parked.of_key",
                                   .text = R"sql(
    SELECT position, event_id, aggregate_id, type, sequence, payload, correlation_id, causation_id,
           traceparent, tracestate, occurred_at, reason, parked_at
    FROM relay_parked_events WHERE aggregate_id = $1 ORDER BY position LIMIT $2
)sql",
                                   .postgres = R"sql(
    SELECT position, event_id, aggregate_id, type, sequence, payload, correlation_id, causation_id,
           traceparent, tracestate, occurred_at, reason, parked_at
    FROM relay.parked_events WHERE aggregate_id = $1 ORDER BY position LIMIT $2
)sql"};

constexpr sql::Query select_after{.name = "relay.parked.after",
                                  .text = R"sql(
    SELECT position, event_id, aggregate_id, type, sequence, payload, correlation_id, causation_id,
           traceparent, tracestate, occurred_at, reason, parked_at
    FROM relay_parked_events WHERE position > $1 ORDER BY position LIMIT $2
)sql",
                                  .postgres = R"sql(
    SELECT position, event_id, aggregate_id, type, sequence, payload, correlation_id, causation_id,
           traceparent, tracestate, occurred_at, reason, parked_at
    FROM relay.parked_events WHERE position > $1 ORDER BY position LIMIT $2
)sql"};

}  // namespace

std::vector<ParkedEvents::Key> ParkedEvents::keys() {
    const auto tx = database_.begin(sql::Access::read);
    const sql::Statement& found = tx->add(select_keys, {});
    tx->commit();
    std::vector<Key> keys;
    keys.reserve(found.rows().size());
    for (const sql::Row& row : found.rows()) keys.push_back({row.uuid(0), row.text(1).empty()});
    return keys;
}

ParkedEvents::Counts ParkedEvents::counts() {
    const auto tx = database_.begin(sql::Access::read);
    const sql::Statement& counted = tx->add(count_parked, {});
    tx->commit();
    return {counted.rows().at(0).integer(0), counted.rows().at(0).integer(1)};
}

std::optional<std::size_t> ParkedEvents::add(std::span<const ParkedEvent> events,
                                             std::string_view holder) {
    std::vector<sql::Params> rows;
    rows.reserve(events.size());
    for (const ParkedEvent& parked : events) {
        rows.push_back(outbox::event_params(parked.event));
        rows.back().emplace_back(parked.position);
        rows.back().emplace_back(parked.reason);
        rows.back().emplace_back(parked.parked_at);
    }
    const auto tx = database_.begin(sql::Access::write);
    if (!lock_held_lease(*tx, holder)) return std::nullopt;
    const sql::Statement& added = tx->add_batch(insert_parked, std::move(rows));
    tx->commit();
    return added.affected();
}

bool ParkedEvents::remove(std::int64_t position, std::string_view holder, const AuditedActPtr& act,
                          Instant now) {
    audit_log::Acts acts;
    acts.add(act);
    return write(delete_parked, {position}, holder, acts, now);
}

bool ParkedEvents::mark_refused(std::int64_t position, std::string_view reason, Instant now,
                                std::string_view holder) {
    return write(mark_parked_refused, {position, reason, now}, holder, {}, now);
}

std::optional<ParkedEvent> ParkedEvents::find(Uuid event_id) {
    auto found = read(select_by_id, {event_id});
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
}

std::vector<ParkedEvent> ParkedEvents::of_key(Uuid key, std::size_t max) {
    return read(select_of_key, {key, static_cast<std::int64_t>(max)});
}

std::vector<ParkedEvent> ParkedEvents::after(std::int64_t position, std::size_t max) {
    return read(select_after, {position, static_cast<std::int64_t>(max)});
}

std::vector<ParkedEvent> ParkedEvents::read(const sql::Query& query, sql::Params params) {
    const auto tx = database_.begin(sql::Access::read);
    const sql::Statement& found = tx->add(query, std::move(params));
    tx->commit();
    std::vector<ParkedEvent> events;
    events.reserve(found.rows().size());
    for (const sql::Row& row : found.rows()) {
        outbox::StoredEvent stored = outbox::stored_event(row);
        events.push_back({stored.position, std::move(stored.event), row.text(11), row.instant(12)});
    }
    return events;
}

bool ParkedEvents::write(const sql::Query& query, sql::Params params, std::string_view holder,
                         const audit_log::Acts& acts, Instant now) {
    const auto tx = database_.begin(sql::Access::write);
    if (!lock_held_lease(*tx, holder)) return false;
    tx->add(query, std::move(params));
    acts.commit(*tx, now);
    return true;
}

}  // namespace trackops::relay
