#include "order/adapters/sql_order_store.hpp"

#include <algorithm>
#include <atomic>
#include <set>
#include <unordered_map>

#include "order/adapters/external_refs.hpp"
#include "order/adapters/order_metrics.hpp"
#include "order/adapters/order_queries.hpp"
#include "order/adapters/order_rows.hpp"
#include "order/adapters/save_orders.hpp"
#include "order/adapters/shipping_addresses.hpp"
#include "order/app/decide_change.hpp"
#include "platform/audit_log/acts.hpp"
#include "platform/idempotency/keys.hpp"
#include "platform/outbox/event.hpp"
#include "platform/sql/batch.hpp"

namespace trackops::order::adapters {
namespace {

constexpr sql::Query select_existing_ids{.name = "order.which_exist",
                                         .text = R"sql(
    SELECT id FROM orders WHERE id = $1
)sql",
                                         .postgres_batch = R"sql(
    SELECT id FROM orders WHERE id = ANY($1::uuid[])
)sql"};

// A saga is claimed by moving its due_at. Another replica skips a locked saga, and finds it not due
// once the lock is gone. PostgreSQL evaluates ARRAY() once; it may turn IN (...) into a join that
// runs the subquery, and locks rows, again for each saga in the table.
constexpr sql::Query claim_due_sagas{.name = "saga.claim_due",
                                     .text = R"sql(
    UPDATE saga_instances SET due_at = $2
    WHERE id IN (SELECT id FROM saga_instances WHERE due_at <= $1 ORDER BY due_at LIMIT $3) RETURNING order_id
)sql",
                                     .postgres = R"sql(
    UPDATE saga_instances SET due_at = $2
    WHERE id = ANY(ARRAY(SELECT id FROM saga_instances WHERE due_at <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)) RETURNING order_id
)sql"};

// Returns the length of the longest prefix of the batch in which no idempotency key occurs twice. A
// second command with the same key runs in a later transaction and gets the response that the first
// one recorded.
template <class Item>
std::size_t count_distinct_keys(std::span<const Item> batch) {
    std::set<std::pair<std::string_view, std::string_view>> keys;
    std::size_t count = 0;
    for (const Item& item : batch) {
        if (item.key && !keys.emplace(item.key->scope, item.key->key).second) break;
        ++count;
    }
    return count;
}

// The number of batches that look up their keys before they write, after a batch had to run again.
// A duplicate key is rare, so a batch is normally written without a lookup. After one duplicate,
// others are likely to follow.
constexpr int lookup_batches_after_duplicate = 64;

using SaveResults = std::vector<Result<app::SaveResult>>;

class SqlOrderStore final : public app::OrderStore {
public:
    SqlOrderStore(sql::Database& database, const Clock& clock, Ids& ids,
                  telemetry::Registry& metrics, app::Respond respond, bool external_ref_is_unique)
        : database_(database),
          clock_(clock),
          ids_(ids),
          metrics_(metrics),
          respond_(respond),
          external_ref_is_unique_(external_ref_is_unique) {}

    SaveResults add(std::span<const app::NewOrder> orders) override {
        return run_in_parts<app::NewOrder>(
            orders, [this](std::span<const app::NewOrder> batch, bool is_retry) {
                return any_names_an_address(batch) ? add_with_addresses(batch, is_retry)
                                                   : add_once(batch, is_retry);
            });
    }
    SaveResults update(std::span<const app::OrderChange> changes) override {
        return run_in_parts<app::OrderChange>(
            changes,
            [this](std::span<const app::OrderChange> batch, bool) { return update_once(batch); });
    }

    std::vector<Result<domain::Order>> find(std::span<const domain::OrderId> ids) override {
        return queries::find(database_, ids);
    }
    Result<std::vector<domain::Order>> settled(std::span<const domain::OrderId> ids) override {
        return queries::settled(database_, ids);
    }
    Result<app::Page<domain::Order, domain::OrderId>> list(const app::OrderFilter& filter,
                                                           std::optional<domain::OrderId> after,
                                                           std::size_t limit) override {
        return queries::list(database_, filter, after, limit);
    }
    Result<app::Page<domain::Order, app::UpdatedCursor>> list_updated(
        const app::OrderFilter& filter, std::optional<app::UpdatedCursor> after,
        std::size_t limit) override {
        return queries::list_updated(database_, filter, after, limit);
    }
    Result<std::vector<app::HistoryEntry>> timeline(domain::OrderId id) override {
        return queries::timeline(database_, id);
    }
    Result<app::SagaOfOrder> saga(domain::SagaId id) override {
        return queries::saga(database_, id);
    }
    Result<app::Page<app::SagaOfOrder, domain::SagaId>> sagas(const app::SagaFilter& filter,
                                                              std::optional<domain::SagaId> after,
                                                              std::size_t limit) override {
        return queries::sagas(database_, filter, after, limit);
    }
    Result<std::vector<domain::OrderId>> claim_due(Instant now, Duration lease,
                                                   std::size_t limit) override;

private:
    template <class Item, class Once>
    SaveResults run_in_parts(std::span<const Item> batch, Once once) {
        SaveResults results;
        while (!batch.empty()) {
            const std::size_t count = count_distinct_keys(batch);
            bool is_retry = false;
            auto part = sql::run_batch<Item, app::SaveResult>(
                database_, batch.first(count), [&](std::span<const Item> items) {
                    return once(items, std::exchange(is_retry, true));
                });
            std::ranges::move(part, std::back_inserter(results));
            batch = batch.subspan(count);
        }
        return results;
    }

    SaveResults add_once(std::span<const app::NewOrder> orders, bool is_retry);
    SaveResults add_with_addresses(std::span<const app::NewOrder> orders, bool is_retry);
    SaveResults update_once(std::span<const app::OrderChange> changes);
    bool must_look_up_keys(bool is_retry);
    Result<void> keep_refs(sql::Transaction& tx, std::span<const OrderToSave> saved,
                           std::size_t commands) const;

    sql::Database& database_;
    const Clock& clock_;
    Ids& ids_;
    OrderMetrics metrics_;
    const app::Respond respond_;
    const bool external_ref_is_unique_;
    std::atomic<int> lookup_batches_left_ = 0;
};

using FoundResponse = std::optional<Result<RecordedResponse>>;

// Returns, for each command whose key was used before, the recorded response or the error
// Errc::key_reused; nothing for the others.
template <class Item>
std::vector<FoundResponse> find_recorded_responses(sql::Transaction& tx,
                                                   std::span<const Item> batch, Instant now) {
    std::vector<FoundResponse> results(batch.size());
    std::vector<idempotency::Key> keys;
    std::vector<std::size_t> positions;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (!batch[i].key) continue;
        keys.push_back(*batch[i].key);
        positions.push_back(i);
    }
    if (keys.empty()) return results;
    auto found = idempotency::find(tx, keys, now);
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (!found[i]) {
            results[positions[i]] = std::unexpected(std::move(found[i]).error());
        } else if (*found[i]) {
            results[positions[i]] = Result<RecordedResponse>(**std::move(found[i]));
        }
    }
    return results;
}

Result<app::SaveResult> replay_of(Result<RecordedResponse> recorded) {
    auto answer = TRY(std::move(recorded));
    return app::SaveResult{{}, std::move(answer)};
}

template <class T>
std::vector<T> unwrap_all(std::vector<std::optional<T>> results) {
    std::vector<T> all;
    all.reserve(results.size());
    for (auto& answer : results) all.push_back(std::move(answer).value());
    return all;
}

std::vector<Uuid> draw_ids(Ids& ids, std::size_t count) {
    std::vector<Uuid> list(count);
    for (Uuid& id : list) id = ids.next();
    return list;
}

// Whether a batch looks up its keys before it writes. `is_retry`: an earlier run of the batch was
// refused, or its outcome is unknown.
bool SqlOrderStore::must_look_up_keys(bool is_retry) {
    if (is_retry) {
        lookup_batches_left_ = lookup_batches_after_duplicate;
        return true;
    }
    if (lookup_batches_left_ <= 0) return false;
    --lookup_batches_left_;
    return true;
}

// Keeps the external references of the orders for the transaction, if they are unique. When one of
// several commands must be refused, they run again in smaller parts until it is alone. Sends the
// statements that are queued; a row that is there already is a conflict.
Result<void> SqlOrderStore::keep_refs(sql::Transaction& tx, std::span<const OrderToSave> saved,
                                      std::size_t commands) const {
    Result<void> kept;
    if (!external_ref_is_unique_) return kept;
    sql::or_conflict(
        [&] { kept = keep_external_refs(tx, database_.dialect(), external_refs_taken_by(saved)); });
    if (!kept && commands > 1)
        throw sql::Failure(sql::Fault::bad_data, "", "an external reference is taken");
    return kept;
}

SaveResults SqlOrderStore::add_once(std::span<const app::NewOrder> orders, bool is_retry) {
    const Instant now = clock_.now();
    const bool must_look_up = must_look_up_keys(is_retry);
    std::vector<std::optional<Result<app::SaveResult>>> results(orders.size());
    std::set<domain::OrderId> existing;
    if (must_look_up) {
        const auto tx = database_.begin(sql::Access::read);
        std::vector<sql::Params> ids;
        for (const app::NewOrder& order : orders) {
            if (is_retry) ids.push_back({order.record.order.id});
        }
        const sql::Statement& found = tx->add_batch(select_existing_ids, std::move(ids));
        auto recorded_before = find_recorded_responses(*tx, orders, now);
        for (std::size_t i = 0; i < orders.size(); ++i) {
            if (recorded_before[i]) results[i] = replay_of(*std::move(recorded_before[i]));
        }
        tx->commit();
        for (const sql::Row& row : found.rows()) existing.emplace(row.uuid(0));
    }
    std::vector<OrderToSave> saved;
    audit_log::Acts acts;
    std::vector<std::vector<Uuid>> event_ids(orders.size());
    std::vector<idempotency::KeyedResponse> keyed_responses;
    for (std::size_t i = 0; i < orders.size(); ++i) {
        const domain::OrderAggregate& record = orders[i].record;
        if (results[i]) continue;
        results[i] = Result<app::SaveResult>(app::SaveResult{record.order, {}});
        if (existing.contains(record.order.id)) {
            audit_log::Acts::found_committed(orders[i].act);
            continue;
        }
        acts.add(orders[i].act);
        event_ids[i] = draw_ids(ids_, record.events.size());
        saved.push_back({record, 0, {}, event_ids[i]});
        if (orders[i].key) keyed_responses.push_back({*orders[i].key, respond_(201, record.order)});
    }
    // An order that exists already was saved by an earlier run whose commit has lost its answer:
    // its id is drawn for this command alone. Only the one run that returns counts.
    const std::size_t placed = existing.size() + saved.size();
    if (saved.empty()) {
        metrics_.placed(placed);
        return unwrap_all(std::move(results));
    }
    std::ranges::sort(keyed_responses, {}, &idempotency::KeyedResponse::key);
    const auto tx = database_.begin(sql::Access::write);
    const sql::Statement* const recorded =
        must_look_up ? &idempotency::record(*tx, keyed_responses, now) : nullptr;
    if (!must_look_up) idempotency::record_without_lookup(*tx, keyed_responses, now);
    if (any_names_an_address(orders)) sql::or_conflict([&] { keep_addresses(*tx, orders); });
    if (auto kept = keep_refs(*tx, saved, orders.size()); !kept)
        return {std::unexpected(std::move(kept).error())};
    insert_orders(*tx, saved);
    save_sagas_history_and_events(*tx, saved);
    if (recorded != nullptr && !keyed_responses.empty()) {
        sql::or_conflict([&] { tx->flush(); });
        if (recorded->affected() < keyed_responses.size()) throw sql::ConcurrencyConflict();
    }
    // An order that exists because of a commit with an unknown outcome makes the insert conflict.
    // The next run of this function finds the order.
    sql::or_conflict([&] { acts.commit(*tx, now); });
    metrics_.placed(placed);
    return unwrap_all(std::move(results));
}

// Copies the addresses that the orders name, and adds the orders. A key is looked up first, because
// its recorded response holds the address as it was; so is an order that an earlier run has saved.
SaveResults SqlOrderStore::add_with_addresses(std::span<const app::NewOrder> orders,
                                              bool is_retry) {
    std::vector<std::optional<Result<app::SaveResult>>> results(orders.size());
    std::vector<app::NewOrder> complete;
    std::vector<std::size_t> positions;  // in `results`, of each element of `complete`
    {
        const auto tx = database_.begin(sql::Access::read);
        const ShippingAddresses addresses(*tx, orders);
        std::vector<domain::OrderId> ids;
        for (const app::NewOrder& order : orders) {
            if (is_retry) ids.push_back(order.record.order.id);
        }
        const OrderLoader loading(*tx, ids, false);
        auto recorded_before = find_recorded_responses(*tx, orders, clock_.now());
        tx->commit();
        LoadedOrders saved = loading.take();
        for (std::size_t i = 0; i < orders.size(); ++i) {
            if (recorded_before[i]) results[i] = replay_of(*std::move(recorded_before[i]));
            const auto known = saved.find(orders[i].record.order.id);
            if (!results[i] && known != saved.end()) {
                results[i] = app::SaveResult{known->second.record.order, {}};
                audit_log::Acts::found_committed(orders[i].act);
                metrics_.placed(1);
            }
            if (results[i]) continue;
            app::NewOrder order = orders[i];
            domain::OrderTerms& terms = order.record.order.terms;
            if (terms.shipping_address_id) {
                auto address = addresses.find(*terms.shipping_address_id, terms.customer);
                if (!address) {
                    results[i] = std::unexpected(std::move(address).error());
                    continue;
                }
                terms.shipping_address = *std::move(address);
            }
            complete.push_back(std::move(order));
            positions.push_back(i);
        }
    }
    SaveResults added = complete.empty() ? SaveResults() : add_once(complete, is_retry);
    for (std::size_t i = 0; i < positions.size(); ++i) results[positions[i]] = std::move(added[i]);
    return unwrap_all(std::move(results));
}

// The state of one run of update_once(): what was read and what is to be written.
struct UpdateAttempt {
    LoadedOrders orders;
    std::set<outbox::Claim> handled;    // handled before, or earlier in this run
    std::vector<outbox::Claim> claims;  // handled in this run
    audit_log::Acts acts;               // the same
    std::vector<idempotency::KeyedResponse> keyed_responses;
};

Result<app::SaveResult> decide(UpdateAttempt& attempt, const app::OrderChange& change,
                               FoundResponse recorded, app::Respond respond) {
    const auto found = attempt.orders.find(change.id);
    const outbox::Claim claim{change.cause, change.consumer};
    app::ChangeDecision decision = TRY(
        app::decide_change(change, {found == attempt.orders.end() ? nullptr : &found->second.record,
                                    attempt.handled.contains(claim), std::move(recorded)}));
    if (decision.has_run) {
        attempt.handled.insert(claim);
        attempt.claims.push_back(claim);
        attempt.acts.add(change.act);
        if (change.key)
            attempt.keyed_responses.push_back({*change.key, respond(200, decision.answer.order)});
    } else if (!decision.answer.recorded) {
        audit_log::Acts::found_committed(change.act);
    }
    return std::move(decision.answer);
}

SaveResults SqlOrderStore::update_once(std::span<const app::OrderChange> changes) {
    const Instant now = clock_.now();
    UpdateAttempt attempt;
    std::vector<FoundResponse> recorded_before;
    {
        std::set<domain::OrderId> ids;
        std::set<outbox::Claim> causes;
        for (const app::OrderChange& change : changes) {
            ids.insert(change.id);
            causes.insert({change.cause, change.consumer});
        }
        const auto tx = database_.begin(sql::Access::read);
        // The claims and the orders come from one snapshot. When another handler of the same
        // message commits after it, the claim below conflicts.
        const sql::Statement& claimed =
            outbox::find_claimed(*tx, std::vector(causes.begin(), causes.end()));
        const OrderLoader loading(*tx, std::vector(ids.begin(), ids.end()), true);
        recorded_before = find_recorded_responses(*tx, changes, now);
        tx->commit();
        for (const sql::Row& row : claimed.rows())
            attempt.handled.insert({row.uuid(0), row.text(1)});
        attempt.orders = loading.take();
    }
    SaveResults results;
    results.reserve(changes.size());
    for (std::size_t i = 0; i < changes.size(); ++i)
        results.push_back(decide(attempt, changes[i], std::move(recorded_before[i]), respond_));
    if (attempt.claims.empty()) return results;

    std::ranges::sort(attempt.claims);
    std::ranges::sort(attempt.keyed_responses, {}, &idempotency::KeyedResponse::key);
    std::vector<OrderToSave> saved;
    std::unordered_map<domain::OrderId, std::vector<Uuid>> event_ids;
    for (const auto& [id, loaded] : attempt.orders) {  // sorted by id, the order of the locks
        const domain::OrderAggregate& record = loaded.record;
        if (record.events.empty() && record.sagas == loaded.sagas_before) continue;
        event_ids[id] = draw_ids(ids_, record.events.size());
        saved.push_back({record, loaded.revision, loaded.sagas_before, event_ids[id]});
    }
    const auto tx = database_.begin(sql::Access::write);
    const sql::Statement* const recorded =
        attempt.keyed_responses.empty() ? nullptr
                                        : &idempotency::record(*tx, attempt.keyed_responses, now);
    const sql::Statement& claimed = outbox::claim(*tx, attempt.claims, now);
    if (auto kept = keep_refs(*tx, saved, changes.size()); !kept)
        return {std::unexpected(std::move(kept).error())};
    const sql::Statement& updated = update_orders(*tx, saved);
    save_sagas_history_and_events(*tx, saved);
    sql::or_conflict([&] { tx->flush(); });
    if (recorded != nullptr && recorded->affected() < attempt.keyed_responses.size())
        throw sql::ConcurrencyConflict();
    if (claimed.affected() < attempt.claims.size() || updated.affected() < saved.size())
        throw sql::ConcurrencyConflict();
    attempt.acts.commit(*tx, now);
    for (const OrderToSave& order : saved) metrics_.changed(order.record, order.sagas_before);
    return results;
}

Result<std::vector<domain::OrderId>> SqlOrderStore::claim_due(Instant now, Duration lease,
                                                              std::size_t limit) {
    try {
        const auto tx = database_.begin(sql::Access::write);
        const sql::Statement& claimed =
            tx->add(claim_due_sagas, {now, now + lease, static_cast<std::int64_t>(limit)});
        tx->commit();
        std::set<domain::OrderId> ids;  // an order may have two sagas
        for (const sql::Row& row : claimed.rows()) ids.emplace(row.uuid(0));
        return std::vector(ids.begin(), ids.end());
    } catch (const sql::Failure& failure) {
        return std::unexpected(sql::error_of(failure.fault));
    }
}

}  // namespace

std::unique_ptr<app::OrderStore> make_sql_order_store(sql::Database& database, const Clock& clock,
                                                      Ids& ids, telemetry::Registry& metrics,
                                                      app::Respond respond,
                                                      bool external_ref_is_unique) {
    return std::make_unique<SqlOrderStore>(database, clock, ids, metrics, respond,
                                           external_ref_is_unique);
}

}  // namespace trackops::order::adapters
