#include "platform/idempotency/keys.hpp"

#include <algorithm>
#include <cassert>
#include <map>

#include <fmt/format.h>

#include "platform/sql/batch.hpp"

namespace trackops::idempotency {
namespace {

constexpr sql::Query select_answer{.name = "idempotency.find",
                                   .text = R"sql(
    SELECT scope, idempotency_key, fingerprint, status, body, location, etag, expires_at, recorded_at
    FROM idempotency_keys
    WHERE scope = $1 AND idempotency_key = $2 AND expires_at > $3
)sql",
                                   .postgres_batch = R"sql(
    SELECT kept.scope, kept.idempotency_key, kept.fingerprint, kept.status, kept.body,
           kept.location, kept.etag, kept.expires_at, kept.recorded_at
    FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS asked (scope, idempotency_key, now)
    CROSS JOIN LATERAL (
        SELECT * FROM idempotency_keys
        WHERE scope = asked.scope AND idempotency_key = asked.idempotency_key
          AND expires_at > asked.now OFFSET 0) AS kept
)sql",
                                   .single_row_uses_text = true};

constexpr sql::Query insert_without_lookup{.name = "idempotency.record_unseen",
                                           .text = R"sql(
    INSERT INTO idempotency_keys (scope, idempotency_key, fingerprint, status, body, location, etag,
                                  expires_at, recorded_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
)sql",
                                           .postgres_batch = R"sql(
    INSERT INTO idempotency_keys (scope, idempotency_key, fingerprint, status, body, location, etag,
                                  expires_at, recorded_at)
    SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::bigint[]), unnest($5::text[]),
           unnest($6::text[]), unnest($7::text[]), unnest($8::timestamptz[]), unnest($9::timestamptz[])
)sql",
                                           .single_row_uses_text = true};

constexpr sql::Query insert_answer{.name = "idempotency.record",
                                   .text = R"sql(
    INSERT INTO idempotency_keys (scope, idempotency_key, fingerprint, status, body, location, etag,
                                  expires_at, recorded_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (scope, idempotency_key) DO UPDATE
    SET fingerprint = excluded.fingerprint, status = excluded.status, body = excluded.body,
        location = excluded.location, etag = excluded.etag, expires_at = excluded.expires_at,
        recorded_at = excluded.recorded_at
    WHERE idempotency_keys.expires_at <= $9
)sql",
                                   .postgres_batch = R"sql(
    INSERT INTO idempotency_keys (scope, idempotency_key, fingerprint, status, body, location, etag,
                                  expires_at, recorded_at)
    SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::bigint[]), unnest($5::text[]),
           unnest($6::text[]), unnest($7::text[]), unnest($8::timestamptz[]), unnest($9::timestamptz[])
    ON CONFLICT (scope, idempotency_key) DO UPDATE
    SET fingerprint = excluded.fingerprint, status = excluded.status, body = excluded.body,
        location = excluded.location, etag = excluded.etag, expires_at = excluded.expires_at,
        recorded_at = excluded.recorded_at
    WHERE idempotency_keys.expires_at <= ($9::timestamptz[])[1]
)sql",
                                   .single_row_uses_text = true};

// SKIP LOCKED never waits for another transaction, so this statement cannot be part of a deadlock.
constexpr sql::Query delete_expired{.name = "idempotency.forget",
                                    .text = R"sql(
    DELETE FROM idempotency_keys WHERE (scope, idempotency_key) IN (
        SELECT scope, idempotency_key FROM idempotency_keys WHERE expires_at <= $1
        ORDER BY expires_at LIMIT $2)
)sql",
                                    .postgres = R"sql(
    DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotency_keys WHERE expires_at <= $1
        ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))
)sql"};

std::vector<sql::Params> rows_of(std::span<const KeyedResponse> responses, Instant now) {
    // All batches use this lock order, so that two batches with the same keys do not wait for each
    // other.
    assert(std::ranges::is_sorted(responses, {}, [](const KeyedResponse& given) {
        return std::pair<std::string_view, std::string_view>(given.key.scope, given.key.key);
    }));
    std::vector<sql::Params> rows;
    rows.reserve(responses.size());
    for (const auto& [key, response] : responses) {
        rows.push_back({key.scope, key.key, key.fingerprint, response.status, response.body,
                        response.location, response.etag, now + key.lifetime, now});
    }
    return rows;
}

// Whether the recorded fingerprint is the request's, by the present rule or by that of version 0.1.
bool has_recorded(std::string_view recorded, const Key& key) {
    return recorded == key.fingerprint ||
           (!key.bytes_fingerprint.empty() && recorded == key.bytes_fingerprint);
}

// recorded_at: "" if it is not known.
std::string reuse_detail(const std::string& recorded_at) {
    if (recorded_at.empty()) return "this Idempotency-Key was used with another body";
    return fmt::format(
        "this Idempotency-Key was used with another body at {}; another request needs another key",
        recorded_at);
}

}  // namespace

std::vector<Result<std::optional<Response>>> find(sql::Transaction& tx, std::span<const Key> keys,
                                                  Instant now) {
    std::vector<sql::Params> rows;
    rows.reserve(keys.size());
    for (const Key& key : keys) rows.push_back({key.scope, key.key, now});
    const sql::Statement& found = tx.add_batch(select_answer, std::move(rows));
    tx.flush();
    struct KeyRow {
        std::string fingerprint;
        Response response;
        std::string recorded_at;
    };
    std::map<std::pair<std::string_view, std::string_view>, KeyRow> kept;
    for (const sql::Row& row : found.rows()) {
        kept[{row.text(0), row.text(1)}] = {row.text(2),
                                            {static_cast<int>(row.integer(3)), row.text(4),
                                             row.text(5), row.text(6), row.instant(7)},
                                            row.is_null(8) ? std::string() : row.instant(8).text()};
    }
    std::vector<Result<std::optional<Response>>> responses;
    responses.reserve(keys.size());
    for (const Key& key : keys) {
        const auto at = kept.find({key.scope, key.key});
        if (at == kept.end()) {
            responses.emplace_back(std::nullopt);
        } else if (!has_recorded(at->second.fingerprint, key)) {
            responses.emplace_back(fail(Errc::key_reused, reuse_detail(at->second.recorded_at)));
        } else {
            responses.emplace_back(at->second.response);
        }
    }
    return responses;
}

void expect_unrecorded(sql::Transaction& tx, std::span<const Key> keys, Instant now) {
    if (keys.empty()) return;
    for (const auto& found : find(tx, keys, now)) {
        if (!found || *found) throw sql::ConcurrencyConflict();
    }
}

sql::Statement& record(sql::Transaction& tx, std::span<const KeyedResponse> responses,
                       Instant now) {
    return tx.add_batch(insert_answer, rows_of(responses, now));
}

void record_without_lookup(sql::Transaction& tx, std::span<const KeyedResponse> responses,
                           Instant now) {
    tx.add_batch(insert_without_lookup, rows_of(responses, now));
}

std::size_t forget_expired(sql::Database& database, Instant now, std::size_t most) {
    const auto tx = database.begin(sql::Access::write);
    const sql::Statement& deleted = tx->add(delete_expired, {now, static_cast<std::int64_t>(most)});
    tx->commit();
    return deleted.affected();
}

}  // namespace trackops::idempotency
