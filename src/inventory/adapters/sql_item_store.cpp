#include "inventory/adapters/sql_item_store.hpp"

#include <map>
#include <set>
#include <utility>

#include "inventory/adapters/rows.hpp"
#include "platform/audit_log/acts.hpp"
#include "platform/idempotency/keys.hpp"
#include "platform/outbox/event.hpp"
#include "platform/sql/batch.hpp"

namespace trackops::inventory::adapters {

namespace {

constexpr std::string_view consumer_name = "inventory-api";

constexpr sql::Query lock_items{.name = "item.lock",
                                .text = R"sql(
    SELECT sku, name, description, category, unit_amount, currency, low_stock_threshold, on_hand, reserved, version,
           created_at, updated_at
    FROM inventory_items WHERE sku = $1
)sql",
                                .postgres_batch = R"sql(
    SELECT sku, name, description, category, unit_amount, currency, low_stock_threshold, on_hand, reserved, version,
           created_at, updated_at
    FROM inventory_items WHERE sku = ANY($1::text[]) ORDER BY sku FOR UPDATE
)sql"};

constexpr sql::Query insert_item{.name = "item.insert",
                                 .text = R"sql(
    INSERT INTO inventory_items (sku, name, description, category, unit_amount, currency, low_stock_threshold, on_hand,
                                 reserved, version, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (sku) DO NOTHING
)sql",
                                 .postgres_batch = R"sql(
    INSERT INTO inventory_items (sku, name, description, category, unit_amount, currency, low_stock_threshold, on_hand,
                                 reserved, version, created_at, updated_at)
    SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[]), unnest($5::bigint[]),
           unnest($6::text[]), unnest($7::bigint[]), unnest($8::bigint[]), unnest($9::bigint[]),
           unnest($10::bigint[]), unnest($11::timestamptz[]), unnest($12::timestamptz[])
    ON CONFLICT (sku) DO NOTHING
)sql"};

constexpr sql::Query update_item{"item.update",
                                 R"sql(
    UPDATE inventory_items
    SET name = $2, description = $3, category = $4, unit_amount = $5, currency = $6, low_stock_threshold = $7,
        on_hand = $8, reserved = $9, version = $10, created_at = $11, updated_at = $12
    WHERE sku = $1
)sql",
                                 {},
                                 R"sql(
    UPDATE inventory_items i
    SET name = d.name, description = d.description, category = d.category, unit_amount = d.unit_amount,
        currency = d.currency, low_stock_threshold = d.low_stock_threshold, on_hand = d.on_hand,
        reserved = d.reserved, version = d.version, created_at = d.created_at, updated_at = d.updated_at
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bigint[],
                $8::bigint[], $9::bigint[], $10::bigint[], $11::timestamptz[], $12::timestamptz[])
        d(sku, name, description, category, unit_amount, currency, low_stock_threshold, on_hand, reserved, version,
          created_at, updated_at)
    WHERE i.sku = d.sku
)sql"};

constexpr sql::Query delete_item{.name = "item.delete",
                                 .text = "DELETE FROM inventory_items WHERE sku = $1"};

using RecordedResponses = std::vector<Result<std::optional<RecordedResponse>>>;
using KeyName = std::pair<std::string_view, std::string_view>;  // scope, key

KeyName name_of(const IdempotencyKey& key) { return {key.scope, key.key}; }

// The state of one run of write_once(): what was read and what was decided.
struct WriteAttempt {
    RecordedResponses recorded_before;         // for the writes with an idempotency key
    std::set<Uuid> claimed_now;                // the ids of the writes without a key
    std::vector<outbox::Claim> refused;        // claims of writes that were refused
    std::vector<IdempotencyKey> refused_keys;  // new when they were looked up, of refused writes
    std::map<std::string, std::optional<domain::Item>, std::less<>> read;
    std::map<std::string, std::optional<domain::Item>, std::less<>> items;
    std::map<KeyName, idempotency::KeyedResponse> recorded;  // by this batch
    std::vector<NewMovement> movements;
    audit_log::Acts acts;
};

void find_recorded_responses(sql::Database& database, std::span<const app::ItemWrite> writes,
                             WriteAttempt& attempt, Instant now) {
    std::vector<IdempotencyKey> keys;
    for (const app::ItemWrite& write : writes) {
        if (write.key) keys.push_back(*write.key);
    }
    if (keys.empty()) return;
    const auto tx = database.begin(sql::Access::read);
    attempt.recorded_before = idempotency::find(*tx, keys, now);
}

void claim_and_lock(sql::Transaction& tx, std::span<const app::ItemWrite> writes,
                    WriteAttempt& attempt, Instant now) {
    std::set<outbox::Claim> wanted;
    for (const app::ItemWrite& write : writes) {
        if (!write.key) wanted.insert({write.id, std::string(consumer_name)});
        attempt.read.try_emplace(write.sku);
    }
    std::vector<sql::Params> keys;
    keys.reserve(attempt.read.size());
    for (const auto& [sku, item] : attempt.read) keys.push_back({sku});
    const std::vector<outbox::Claim> claims(wanted.begin(), wanted.end());
    const sql::Statement* claimed = claims.empty() ? nullptr : &outbox::claim(tx, claims, now);
    const auto& rows = tx.add_batch(lock_items, std::move(keys));
    tx.flush();
    if (claimed) {
        for (const auto& row : claimed->rows()) attempt.claimed_now.insert(row.uuid(0));
    }
    for (const auto& row : rows.rows()) attempt.read.find(row.text(0))->second = item_of(row);
    attempt.items = attempt.read;
}

// Returns the response that was recorded for the key, in an earlier batch or earlier in this one;
// nullptr if there is none.
Result<const RecordedResponse*> find_recorded_response(
    const IdempotencyKey& key, const Result<std::optional<RecordedResponse>>& earlier,
    const WriteAttempt& attempt) {
    if (!earlier) return std::unexpected(earlier.error());
    if (*earlier) return &**earlier;
    const auto duplicate = attempt.recorded.find(name_of(key));
    if (duplicate == attempt.recorded.end()) return nullptr;
    if (duplicate->second.key.fingerprint != key.fingerprint) {
        return fail(Errc::key_reused, "this Idempotency-Key was used for another request");
    }
    return &duplicate->second.response;
}

Result<app::WriteResult> execute(const app::ItemWrite& write, const app::ItemStore::Decide& decide,
                                 WriteAttempt& attempt) {
    std::optional<domain::Item>& current = attempt.items.find(write.sku)->second;
    domain::ItemChange change = TRY(decide(current, write));
    const std::int64_t before = current ? current->stock.on_hand : 0;
    const std::int64_t after = change.item ? change.item->stock.on_hand : 0;
    if (after != before) {
        attempt.movements.push_back(
            {{write.sku, after - before, after}, std::move(change.reason), change.order_id});
    }
    app::WriteResult written{.item = change.item, .is_new = !current && change.item};
    current = std::move(change.item);
    attempt.acts.add(write.act);
    if (write.key) {
        attempt.recorded.emplace(name_of(*write.key),
                                 idempotency::KeyedResponse{*write.key, write.record(written)});
    }
    return written;
}

// Throws ConcurrencyConflict when an item or a key exists that did not exist when it was read. The
// batch then runs again and finds it.
void save(sql::Transaction& tx, const WriteAttempt& attempt, Instant now) {
    std::vector<sql::Params> inserted_rows;
    std::vector<sql::Params> changed;
    std::vector<sql::Params> deleted_rows;
    for (const auto& [sku, item] : attempt.items) {
        const auto& before = attempt.read.find(sku)->second;
        if (item && !before) inserted_rows.push_back(params_of(*item));
        if (item && before && *item != *before) changed.push_back(params_of(*item));
        if (!item && before) deleted_rows.push_back({sku});
    }
    std::vector<idempotency::KeyedResponse> keys;
    keys.reserve(attempt.recorded.size());
    for (const auto& [name, given] : attempt.recorded) keys.push_back(given);
    const std::size_t fresh_count = inserted_rows.size();
    const auto& inserted = tx.add_batch(insert_item, std::move(inserted_rows));
    tx.add_batch(update_item, std::move(changed));
    tx.add_batch(delete_item, std::move(deleted_rows));
    add_movements(tx, attempt.movements, now);
    const sql::Statement* recorded = keys.empty() ? nullptr : &idempotency::record(tx, keys, now);
    outbox::delete_claims(tx, attempt.refused);
    tx.flush();
    if (inserted.affected() < fresh_count) throw sql::ConcurrencyConflict();
    if (recorded && recorded->affected() < keys.size()) throw sql::ConcurrencyConflict();
    attempt.acts.commit(tx, now);
}

Result<app::WriteResult> execute_or_replay(const app::ItemWrite& write,
                                           const Result<std::optional<RecordedResponse>>& earlier,
                                           const app::ItemStore::Decide& decide,
                                           WriteAttempt& attempt) {
    const RecordedResponse* known = TRY(find_recorded_response(*write.key, earlier, attempt));
    if (known) return app::WriteResult{.replayed = *known};
    auto written = execute(write, decide, attempt);
    if (!written) attempt.refused_keys.push_back(*write.key);
    return written;
}

// Returns the result of a write that an earlier run has committed with an unknown outcome: the item
// as it is now.
Result<app::WriteResult> result_of_lost_commit(const app::ItemWrite& write,
                                               const WriteAttempt& attempt) {
    audit_log::Acts::found_committed(write.act);
    return app::WriteResult{.item = attempt.items.find(write.sku)->second};
}

std::vector<Result<app::WriteResult>> write_once(sql::Database& database,
                                                 std::span<const app::ItemWrite> writes,
                                                 const app::ItemStore::Decide& decide,
                                                 Instant now) {
    WriteAttempt attempt;
    find_recorded_responses(database, writes, attempt, now);
    const auto tx = database.begin(sql::Access::write);
    claim_and_lock(*tx, writes, attempt, now);
    std::vector<Result<app::WriteResult>> answers;
    answers.reserve(writes.size());
    auto earlier = attempt.recorded_before.begin();
    for (const app::ItemWrite& write : writes) {
        answers.push_back(write.key ? execute_or_replay(write, *earlier++, decide, attempt)
                          : attempt.claimed_now.erase(write.id) > 0
                              ? execute(write, decide, attempt)
                              : result_of_lost_commit(write, attempt));
        if (!answers.back() && !write.key)
            attempt.refused.push_back({write.id, std::string(consumer_name)});
    }
    idempotency::expect_unrecorded(*tx, attempt.refused_keys, now);
    save(*tx, attempt, now);
    return answers;
}

class SqlItemStore final : public app::ItemStore {
public:
    explicit SqlItemStore(sql::Database& database) : database_(database) {}

    std::vector<Result<app::WriteResult>> write(std::span<const app::ItemWrite> writes,
                                                const Decide& decide, Instant now) override {
        return sql::run_batch<app::ItemWrite, app::WriteResult>(
            database_, writes, [&](std::span<const app::ItemWrite> part) {
                return write_once(database_, part, decide, now);
            });
    }

private:
    sql::Database& database_;
};

}  // namespace

std::unique_ptr<app::ItemStore> make_item_store(sql::Database& database) {
    return std::make_unique<SqlItemStore>(database);
}

}  // namespace trackops::inventory::adapters
