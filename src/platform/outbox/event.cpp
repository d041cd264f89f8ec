#include "platform/outbox/event.hpp"

#include <algorithm>
#include <cassert>

#include "platform/outbox/stored_event.hpp"

namespace trackops::outbox {
namespace {

// unnest returns its rows in the order of the arrays, so positions follow the order of the events.
constexpr sql::Query insert_event{.name = "outbox.append",
                                  .text = R"sql(
    INSERT INTO outbox_events (event_id, aggregate_id, type, sequence, payload, correlation_id,
                               causation_id, traceparent, tracestate, occurred_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
)sql",
                                  .postgres_batch = R"sql(
    INSERT INTO outbox_events (event_id, aggregate_id, type, sequence, payload, correlation_id,
                               causation_id, traceparent, tracestate, occurred_at)
    SELECT unnest($1::uuid[]), unnest($2::uuid[]), unnest($3::text[]), unnest($4::bigint[]), unnest($5::json[]),
           unnest($6::text[]), unnest($7::text[]), unnest($8::text[]), unnest($9::text[]), unnest($10::timestamptz[])
)sql",
                                  .single_row_uses_text = true};

constexpr sql::Query insert_claim{.name = "inbox.claim",
                                  .text = R"sql(
    INSERT INTO processed_events (event_id, consumer, processed_at) VALUES ($1, $2, $3)
    ON CONFLICT DO NOTHING RETURNING event_id, consumer
)sql",
                                  .postgres_batch = R"sql(
    INSERT INTO processed_events (event_id, consumer, processed_at)
    SELECT unnest($1::uuid[]), unnest($2::text[]), unnest($3::timestamptz[])
    ON CONFLICT DO NOTHING RETURNING event_id, consumer
)sql",
                                  .single_row_uses_text = true};

constexpr sql::Query select_claim{.name = "inbox.find",
                                  .text = R"sql(
    SELECT event_id, consumer FROM processed_events WHERE event_id = $1 AND consumer = $2
)sql",
                                  .postgres_batch = R"sql(
    SELECT handled.event_id, handled.consumer
    FROM unnest($1::uuid[], $2::text[]) AS asked (event_id, consumer)
    CROSS JOIN LATERAL (
        SELECT event_id, consumer FROM processed_events
        WHERE event_id = asked.event_id AND consumer = asked.consumer OFFSET 0) AS handled
)sql"};

constexpr sql::Query delete_claim{.name = "inbox.take_back", .text = R"sql(
    DELETE FROM processed_events WHERE event_id = $1 AND consumer = $2
)sql"};

std::vector<sql::Params> params_of(std::span<const Claim> claims) {
    std::vector<sql::Params> rows;
    rows.reserve(claims.size());
    for (const Claim& claim : claims) rows.push_back({claim.message, claim.consumer});
    return rows;
}

}  // namespace

void append(sql::Transaction& tx, std::span<const Event> events) {
    std::vector<sql::Params> rows;
    rows.reserve(events.size());
    for (const Event& event : events) rows.push_back(event_params(event));
    tx.add_batch(insert_event, std::move(rows));
}

sql::Statement& claim(sql::Transaction& tx, std::span<const Claim> claims, Instant now) {
    // The common lock order keeps two consumers that claim the same messages from a deadlock.
    assert(std::ranges::is_sorted(claims));
    std::vector<sql::Params> rows;
    rows.reserve(claims.size());
    for (const Claim& claim : claims) rows.push_back({claim.message, claim.consumer, now});
    return tx.add_batch(insert_claim, std::move(rows));
}

sql::Statement& find_claimed(sql::Transaction& tx, std::span<const Claim> claims) {
    return tx.add_batch(select_claim, params_of(claims));
}

void delete_claims(sql::Transaction& tx, std::span<const Claim> claims) {
    tx.add_batch(delete_claim, params_of(claims));
}

}  // namespace trackops::outbox
