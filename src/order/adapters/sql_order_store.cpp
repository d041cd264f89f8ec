#include "order/adapters/sql_order_store.hpp"

#include <algorithm>
#include <atomic>
#include <set>
#include <unordered_map>

#include "order/adapters/order_json.hpp"
#include "order/adapters/order_queries.hpp"
#include "order/adapters/order_rows.hpp"
#include "platform/idempotency/keys.hpp"
#include "platform/outbox/event.hpp"
#include "platform/sql/batch.hpp"

namespace trackops::order::adapters {
namespace {

constexpr sql::Query which_exist{.name = "order.which_exist",
                                 .text = R"sql(
    SELECT id FROM orders WHERE id = $1
)sql",
                                 .postgres_each = R"sql(
    SELECT id FROM orders WHERE id = ANY($1::uuid[])
)sql"};

// Pushing due_at on is the claim: another replica skips what is locked and then sees that it is not
// due. ARRAY() is asked once; IN (...) may become a join that asks, and locks, again for each saga
// there is.
constexpr sql::Query claim_due_sagas{.name = "saga.claim_due",
                                     .text = R"sql(
    UPDATE saga_instances SET due_at = $2
    WHERE id IN (SELECT id FROM saga_instances WHERE due_at <= $1 ORDER BY due_at LIMIT $3) RETURNING order_id
)sql",
                                     .postgres = R"sql(
    UPDATE saga_instances SET due_at = $2
    WHERE id = ANY(ARRAY(SELECT id FROM saga_instances WHERE due_at <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)) RETURNING order_id
)sql"};

// The longest beginning of a batch in which no key comes twice: a twin is answered by what its
// first made true.
template <class Item>
std::size_t without_twins(std::span<const Item> batch) {
    std::set<std::pair<std::string_view, std::string_view>> keys;
    std::size_t count = 0;
    for (const Item& item : batch) {
        if (item.key && !keys.emplace(item.key->scope, item.key->key).second) break;
        ++count;
    }
    return count;
}

// Hardly a key comes twice, so a batch is written without asking for its keys; but where one did,
// others are likely to follow.
constexpr int batches_after_a_repeat = 64;

using Answers = std::vector<Result<app::Receipt>>;

RecordedAnswer answer_of(int status, const domain::Order& order) {
    return {status, order_json(order), status == 201 ? path_of(order.id) : "", etag_of(order)};
}

class SqlOrderStore final : public app::OrderStore {
public:
    SqlOrderStore(sql::Database& database, const Clock& clock, Ids& ids)
        : database_(database), clock_(clock), ids_(ids) {}

    Answers add(std::span<const app::NewOrder> orders) override {
        return in_parts<app::NewOrder>(orders,
                                       [this](std::span<const app::NewOrder> batch, bool again) {
                                           return add_once(batch, again);
                                       });
    }
    Answers update(std::span<const app::OrderChange> changes) override {
        return in_parts<app::OrderChange>(changes, [this](std::span<const app::OrderChange> batch,
                                                          bool) { return update_once(batch); });
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
    Answers in_parts(std::span<const Item> batch, Once once) {
        Answers answers;
        while (!batch.empty()) {
            const std::size_t count = without_twins(batch);
            bool again = false;
            auto part = sql::run_batch<Item, app::Receipt>(
                database_, batch.first(count), [&](std::span<const Item> items) {
                    return once(items, std::exchange(again, true));
                });
            std::ranges::move(part, std::back_inserter(answers));
            batch = batch.subspan(count);
        }
        return answers;
    }

    Answers add_once(std::span<const app::NewOrder> orders, bool again);
    Answers update_once(std::span<const app::OrderChange> changes);
    bool looks_first(bool again);

    sql::Database& database_;
    const Clock& clock_;
    Ids& ids_;
    std::atomic<int> batches_to_look_first_ = 0;
};

// What is answered before anything is written: by a key that was seen before, or (after a lost
// commit) by the order being there.
template <class Item>
std::vector<std::optional<Result<app::Receipt>>> answered_keys(sql::Transaction& tx,
                                                               std::span<const Item> batch,
                                                               Instant now) {
    std::vector<std::optional<Result<app::Receipt>>> answers(batch.size());
    std::vector<idempotency::Key> keys;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (!batch[i].key) continue;
        keys.push_back(*batch[i].key);
        places.push_back(i);
    }
    if (keys.empty()) return answers;
    auto found = idempotency::find(tx, keys, now);
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (!found[i]) {
            answers[places[i]] = Result<app::Receipt>(std::unexpected(std::move(found[i]).error()));
        } else if (*found[i]) {
            answers[places[i]] = Result<app::Receipt>(app::Receipt{{}, std::move(*found[i])});
        }
    }
    return answers;
}

template <class T>
std::vector<T> taken(std::vector<std::optional<T>> answers) {
    std::vector<T> all;
    all.reserve(answers.size());
    for (auto& answer : answers) all.push_back(std::move(answer).value());
    return all;
}

std::vector<Uuid> drawn(Ids& ids, std::size_t count) {
    std::vector<Uuid> list(count);
    for (Uuid& id : list) id = ids.next();
    return list;
}

// Whether a batch asks before it writes. `again`: it has been refused, or nobody knows.
bool SqlOrderStore::looks_first(bool again) {
    if (again) {
        batches_to_look_first_ = batches_after_a_repeat;
        return true;
    }
    if (batches_to_look_first_ <= 0) return false;
    --batches_to_look_first_;
    return true;
}

Answers SqlOrderStore::add_once(std::span<const app::NewOrder> orders, bool again) {
    const Instant now = clock_.now();
    const bool looks = looks_first(again);
    std::vector<std::optional<Result<app::Receipt>>> answers(orders.size());
    std::set<domain::OrderId> existing;
    if (looks) {
        const auto tx = database_.begin(sql::Access::read);
        std::vector<sql::Params> ids;
        for (const app::NewOrder& order : orders) {
            if (again) ids.push_back({order.record.order.id});
        }
        const sql::Statement& found = tx->add_each(which_exist, std::move(ids));
        answers = answered_keys(*tx, orders, now);
        tx->commit();
        for (const sql::Row& row : found.rows()) existing.emplace(row.uuid(0));
    }
    std::vector<SavedOrder> saved;
    std::vector<std::vector<Uuid>> ids(orders.size() * 2);
    std::vector<idempotency::Given> given;
    for (std::size_t i = 0; i < orders.size(); ++i) {
        const domain::OrderRecord& record = orders[i].record;
        if (answers[i]) continue;
        answers[i] = Result<app::Receipt>(app::Receipt{record.order, {}});
        if (existing.contains(record.order.id)) continue;
        ids[2 * i].assign(record.changes.size(), record.order.id.uuid);
        ids[2 * i + 1] = drawn(ids_, record.notices.size());
        saved.push_back({record, 0, {}, ids[2 * i], ids[2 * i + 1]});
        if (orders[i].key) given.push_back({*orders[i].key, answer_of(201, record.order)});
    }
    if (saved.empty()) return taken(std::move(answers));
    std::ranges::sort(given, {}, &idempotency::Given::key);
    const auto tx = database_.begin(sql::Access::write);
    const sql::Statement* const recorded = looks ? &idempotency::record(*tx, given, now) : nullptr;
    if (!looks) idempotency::record_unseen(*tx, given, now);
    insert_orders(*tx, saved);
    save_what_goes_with_them(*tx, saved);
    if (recorded != nullptr && !given.empty()) {
        sql::or_lose([&] { tx->flush(); });
        if (recorded->affected() < given.size()) throw sql::LostRace();
    }
    // An order that is there after all, by a commit whose answer was lost, is found when this runs
    // again.
    sql::or_lose([&] { tx->commit(); });
    return taken(std::move(answers));
}

// One round of update(): what was read, what became of it.
struct Round {
    LoadedOrders orders;
    std::set<outbox::Claim> handled;    // before, or earlier in this round
    std::vector<outbox::Claim> claims;  // of this round
    std::vector<idempotency::Given> given;
    std::unordered_map<domain::OrderId, std::vector<Uuid>> causes;  // of the changes, in order
};

Result<app::Receipt> decide(Round& round, const app::OrderChange& change) {
    const auto found = round.orders.find(change.id);
    if (found == round.orders.end()) return fail(Errc::not_found, "no order has this id");
    domain::OrderRecord& record = found->second.record;
    const outbox::Claim claim{change.cause, change.consumer};
    if (round.handled.contains(claim)) return app::Receipt{record.order, {}};
    if (change.expected_version && *change.expected_version != record.order.version) {
        return fail(Errc::precondition_failed,
                    "the order has changed since: its version is another one");
    }
    if (auto changed = change.change(record); !changed)
        return std::unexpected(std::move(changed).error());
    round.causes[change.id].resize(record.changes.size(), change.cause);
    round.handled.insert(claim);
    round.claims.push_back(claim);
    if (change.key) round.given.push_back({*change.key, answer_of(200, record.order)});
    return app::Receipt{record.order, {}};
}

Answers SqlOrderStore::update_once(std::span<const app::OrderChange> changes) {
    const Instant now = clock_.now();
    Round round;
    std::vector<std::optional<Result<app::Receipt>>> answers;
    {
        std::set<domain::OrderId> ids;
        std::set<outbox::Claim> causes;
        for (const app::OrderChange& change : changes) {
            ids.insert(change.id);
            causes.insert({change.cause, change.consumer});
        }
        const auto tx = database_.begin(sql::Access::read);
        // Claims are read before the orders: a handling that commits in between is then seen in the
        // orders, or loses the claim below.
        const sql::Statement& claimed =
            outbox::find_claimed(*tx, std::vector(causes.begin(), causes.end()));
        const OrderLoad loading(*tx, std::vector(ids.begin(), ids.end()), true);
        answers = answered_keys(*tx, changes, now);
        tx->commit();
        for (const sql::Row& row : claimed.rows()) round.handled.insert({row.uuid(0), row.text(1)});
        round.orders = loading.take();
    }
    for (std::size_t i = 0; i < changes.size(); ++i) {
        if (!answers[i]) answers[i] = decide(round, changes[i]);
    }
    if (round.claims.empty()) return taken(std::move(answers));

    std::ranges::sort(round.claims);
    std::ranges::sort(round.given, {}, &idempotency::Given::key);
    std::vector<SavedOrder> saved;
    std::unordered_map<domain::OrderId, std::vector<Uuid>> event_ids;
    for (const auto& [id, loaded] : round.orders) {  // in the order of ids, as rows are locked
        const domain::OrderRecord& record = loaded.record;
        if (record.changes.empty() && record.notices.empty() && record.sagas == loaded.sagas_before)
            continue;
        event_ids[id] = drawn(ids_, record.notices.size());
        saved.push_back(
            {record, loaded.revision, loaded.sagas_before, round.causes[id], event_ids[id]});
    }
    const auto tx = database_.begin(sql::Access::write);
    const sql::Statement* const recorded =
        round.given.empty() ? nullptr : &idempotency::record(*tx, round.given, now);
    const sql::Statement& claimed = outbox::claim(*tx, round.claims, now);
    const sql::Statement& updated = update_orders(*tx, saved);
    save_what_goes_with_them(*tx, saved);
    sql::or_lose([&] { tx->flush(); });
    if (recorded != nullptr && recorded->affected() < round.given.size()) throw sql::LostRace();
    if (claimed.affected() < round.claims.size() || updated.affected() < saved.size())
        throw sql::LostRace();
    tx->commit();
    return taken(std::move(answers));
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
                                                      Ids& ids) {
    return std::make_unique<SqlOrderStore>(database, clock, ids);
}

}  // namespace trackops::order::adapters
