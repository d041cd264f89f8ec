#include "order/adapters/order_queries.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <unordered_map>

#include <fmt/format.h>

#include "order/adapters/order_rows.hpp"
#include "platform/sql/batch.hpp"

namespace trackops::order::adapters::queries {
namespace {

// Returns the result of `read` in a read transaction, or the database's failure as an error.
template <class T, class Read>
Result<T> read_only(sql::Database& database, Read read) {
    try {
        const auto tx = database.begin(sql::Access::read);
        return read(*tx);
    } catch (const sql::Failure& failure) {
        return std::unexpected(sql::error_of(failure.fault));
    }
}

constexpr sql::Query settled_ids{.name = "order.settled",
                                 .text = R"sql(
    SELECT id FROM orders WHERE id = $1 AND status <> 'PENDING'
)sql",
                                 .postgres_batch = R"sql(
    SELECT id FROM orders WHERE id = ANY($1::uuid[]) AND status <> 'PENDING'
)sql"};

constexpr sql::Query load_history{.name = "order.timeline", .text = R"sql(
    SELECT revision, version, type, status, payload, actor, correlation_id, causation_id, event_id, occurred_at
    FROM order_history WHERE order_id = $1 ORDER BY revision
)sql"};

constexpr sql::Query steps_of_saga{.name = "saga.steps",
                                   .text = R"sql(
    SELECT saga_id, name, status, attempts, started_at, finished_at, last_error FROM saga_steps WHERE saga_id = $1 ORDER BY step
)sql",
                                   .postgres_batch = R"sql(
    SELECT saga_id, name, status, attempts, started_at, finished_at, last_error
    FROM saga_steps WHERE saga_id = ANY($1::uuid[]) ORDER BY saga_id, step
)sql"};

// Returns a copy of the text that lives as long as the program, because a statement is prepared
// under its text. There is one copy for each combination of filters.
std::string_view without_filtered(std::string text) {
    static std::mutex mutex;
    static std::map<std::string, bool, std::less<>> texts;
    const std::scoped_lock lock(mutex);
    return texts.emplace(std::move(text), true).first->first;
}

// A WHERE clause with only the conditions of the filters that are set, so that the database plans
// each combination separately.
struct Conditions {
    std::string where;
    sql::Params params;
    // "{}" in the condition stands for the parameter.
    void add(std::string_view condition, sql::Value value) {
        add(fmt::format(fmt::runtime(condition), next(std::move(value))));
    }
    void add(std::string_view condition) {
        where += where.empty() ? " WHERE " : " AND ";
        where += condition;
    }
    // Adds a parameter and returns how the text of the query names it.
    std::string next(sql::Value value) {
        params.push_back(std::move(value));
        return fmt::format("${}", params.size());
    }
};

// An order's id is a UUIDv7 that is drawn just before created_at is read. So a range of created_at
// bounds the range of the primary key. The slack allows for ids that ran ahead of the clock.
constexpr Duration id_slack = std::chrono::minutes(1);

// The time in an id is never before the epoch.
Instant dated(Instant at) { return std::max(at, Instant{}); }

// The conditions on the row of an order.
void add_filter(Conditions& conditions, const app::OrderFilter& filter) {
    if (!filter.statuses.empty()) {
        std::string names;
        for (const domain::Status status : filter.statuses)
            names += (names.empty() ? "" : ", ") + conditions.next(name_of(status));
        conditions.add("orders.status IN (" + names + ")");
    }
    if (filter.customer) conditions.add("customer_id = {}", filter.customer->text);
    if (filter.external_ref) conditions.add("external_ref = {}", *filter.external_ref);
    if (filter.sku)
        conditions.add("id IN (SELECT order_id FROM order_items WHERE sku = {})", *filter.sku);
    if (filter.is_stuck)
        conditions.add("id IN (SELECT order_id FROM saga_instances WHERE status = 'BLOCKED')");
    if (filter.created_from) {
        conditions.add("created_at >= {}", *filter.created_from);
        conditions.add("id >= {}", uuid_v7(dated(*filter.created_from - id_slack), 0, 0));
    }
    if (filter.created_to) {
        conditions.add("created_at < {}", *filter.created_to);
        conditions.add("id <= {}", uuid_v7(dated(*filter.created_to + id_slack), ~0ULL, ~0ULL));
    }
}

std::vector<app::SagaOfOrder> with_steps(sql::Transaction& tx, const std::vector<sql::Row>& rows) {
    std::vector<app::SagaOfOrder> sagas;
    std::unordered_map<domain::SagaId, std::size_t> places;  // in `sagas`
    std::vector<sql::Params> ids;
    for (const sql::Row& row : rows) {
        sagas.push_back(saga_of(row));
        places.emplace(sagas.back().saga.id, sagas.size() - 1);
        ids.push_back({sagas.back().saga.id});
    }
    const sql::Statement& steps = tx.add_batch(steps_of_saga, std::move(ids));
    tx.flush();
    for (const sql::Row& row : steps.rows()) {
        const auto place = places.find(domain::SagaId(row.uuid(0)));
        if (place != places.end()) sagas[place->second].saga.steps.push_back(step_of(row));
    }
    return sagas;
}

std::vector<domain::Order> load(sql::Transaction& tx, std::span<const domain::OrderId> ids) {
    const OrderLoader loading(tx, ids, false);
    tx.flush();
    LoadedOrders loaded = loading.take();
    std::vector<domain::Order> orders;
    for (const domain::OrderId id : ids) {
        const auto found = loaded.find(id);
        if (found != loaded.end()) orders.push_back(std::move(found->second.record.order));
    }
    return orders;
}

}  // namespace

std::vector<Result<domain::Order>> find(sql::Database& database,
                                        std::span<const domain::OrderId> ids) {
    auto loaded = read_only<LoadedOrders>(database, [ids](sql::Transaction& tx) {
        const OrderLoader loading(tx, ids, false);
        tx.commit();
        return loading.take();
    });
    if (!loaded)
        return std::vector<Result<domain::Order>>(ids.size(), std::unexpected(loaded.error()));
    std::vector<Result<domain::Order>> orders;
    for (const domain::OrderId id : ids) {
        const auto found = loaded->find(id);
        if (found == loaded->end()) {
            orders.emplace_back(fail(Errc::not_found, "no order has this id"));
        } else {
            // Copied, because a batch may have the same id twice.
            orders.emplace_back(found->second.record.order);
        }
    }
    return orders;
}

Result<std::vector<domain::Order>> settled(sql::Database& database,
                                           std::span<const domain::OrderId> ids) {
    return read_only<std::vector<domain::Order>>(database, [ids](sql::Transaction& tx) {
        std::vector<sql::Params> rows;
        for (const domain::OrderId id : ids) rows.push_back({id});
        const sql::Statement& found = tx.add_batch(settled_ids, std::move(rows));
        tx.flush();
        std::vector<domain::OrderId> left;
        for (const sql::Row& row : found.rows()) left.emplace_back(row.uuid(0));
        return left.empty() ? std::vector<domain::Order>() : load(tx, left);
    });
}

Result<app::Page<domain::Order, domain::OrderId>> list(sql::Database& database,
                                                       const app::OrderFilter& filter,
                                                       std::optional<domain::OrderId> after,
                                                       std::size_t limit) {
    Conditions conditions;
    if (after) conditions.add("id < {}", *after);
    add_filter(conditions, filter);
    const std::string most = conditions.next(static_cast<std::int64_t>(limit) + 1);
    const std::string_view text = without_filtered(
        fmt::format("SELECT id FROM orders{} ORDER BY id DESC LIMIT {}", conditions.where, most));
    return read_only<app::Page<domain::Order, domain::OrderId>>(
        database, [&](sql::Transaction& tx) {
            const sql::Statement& found =
                tx.add({.name = "order.list", .text = text}, conditions.params);
            tx.flush();
            std::vector<domain::OrderId> ids;
            for (const sql::Row& row : found.rows()) ids.emplace_back(row.uuid(0));
            app::Page<domain::Order, domain::OrderId> page;
            if (ids.size() > limit) {
                ids.resize(limit);
                page.next = ids.back();
            }
            page.items = load(tx, ids);
            return page;
        });
}

// The last entry of an order's history that GET shows has the order's version and the time of its
// last change. So the index of the history by time serves the list, and a change of an order need
// not move it in an index of `orders`.
Result<app::Page<domain::Order, app::UpdatedCursor>> list_updated(
    sql::Database& database, const app::OrderFilter& filter,
    std::optional<app::UpdatedCursor> after, std::size_t limit) {
    Conditions conditions;
    conditions.add("type NOT IN ('RESERVATION_RETRIED', 'RELEASE_RETRIED')");  // as the index says
    conditions.add("orders.version = order_history.version");
    if (filter.updated_from) conditions.add("occurred_at >= {}", *filter.updated_from);
    if (after) {
        const std::string time = conditions.next(after->updated_at);
        conditions.add("(occurred_at, order_id) > (" + time + ", {})", after->id);
    }
    add_filter(conditions, filter);
    const std::string most = conditions.next(static_cast<std::int64_t>(limit) + 1);
    const std::string_view text =
        without_filtered(fmt::format("SELECT id, occurred_at FROM order_history JOIN orders ON "
                                     "orders.id = order_history.order_id{} "
                                     "ORDER BY occurred_at, order_id LIMIT {}",
                                     conditions.where, most));
    return read_only<app::Page<domain::Order, app::UpdatedCursor>>(
        database, [&](sql::Transaction& tx) {
            const sql::Statement& found =
                tx.add({.name = "order.list_updated", .text = text}, conditions.params);
            tx.flush();
            std::vector<domain::OrderId> ids;
            app::Page<domain::Order, app::UpdatedCursor> page;
            for (const sql::Row& row : found.rows()) {
                if (ids.size() == limit) {
                    const sql::Row& last = found.rows()[limit - 1];
                    page.next = {last.instant(1), domain::OrderId(last.uuid(0))};
                    break;
                }
                ids.emplace_back(row.uuid(0));
            }
            page.items = load(tx, ids);
            return page;
        });
}

Result<std::vector<app::HistoryEntry>> timeline(sql::Database& database, domain::OrderId id) {
    auto entries = read_only<std::vector<app::HistoryEntry>>(database, [id](sql::Transaction& tx) {
        const sql::Statement& found = tx.add(load_history, {id});
        tx.flush();
        std::vector<app::HistoryEntry> list;
        for (const sql::Row& row : found.rows()) list.push_back(history_entry_of(row));
        for (std::size_t i = 1; i < list.size(); ++i) list[i].before = list[i - 1].after;
        return list;
    });
    if (entries && entries->empty()) return fail(Errc::not_found, "no order has this id");
    return entries;
}

Result<app::SagaOfOrder> saga(sql::Database& database, domain::SagaId id) {
    constexpr sql::Query one_saga{.name = "saga.get", .text = R"sql(
        SELECT id, type, order_id, status, deadline_at, next_attempt_at, started_at, finished_at FROM saga_instances WHERE id = $1
    )sql"};
    return read_only<app::SagaOfOrder>(
        database, [id, &one_saga](sql::Transaction& tx) -> Result<app::SagaOfOrder> {
            const sql::Statement& found = tx.add(one_saga, {id});
            tx.flush();
            if (found.rows().empty()) return fail(Errc::not_found, "no saga has this id");
            return with_steps(tx, found.rows()).front();
        });
}

Result<app::Page<app::SagaOfOrder, domain::SagaId>> sagas(sql::Database& database,
                                                          const app::SagaFilter& filter,
                                                          std::optional<domain::SagaId> after,
                                                          std::size_t limit) {
    Conditions conditions;
    if (after) conditions.add("id < {}", *after);
    // As text, not as a parameter: the index of BLOCKED sagas serves a query that names the status.
    if (filter.status) conditions.add(fmt::format("status = '{}'", name_of(*filter.status)));
    if (filter.status && domain::is_waiting(*filter.status))
        conditions.add("due_at IS NOT NULL");  // as the index of due sagas says
    if (filter.type) conditions.add("type = {}", name_of(*filter.type));
    if (filter.order) conditions.add("order_id = {}", *filter.order);
    conditions.params.emplace_back(static_cast<std::int64_t>(limit) + 1);
    const std::string_view text = without_filtered(
        fmt::format("SELECT id, type, order_id, status, deadline_at, next_attempt_at, "
                    "started_at, finished_at FROM saga_instances{} ORDER BY id "
                    "DESC LIMIT ${}",
                    conditions.where, conditions.params.size()));
    return read_only<app::Page<app::SagaOfOrder, domain::SagaId>>(
        database, [&](sql::Transaction& tx) {
            const sql::Statement& found =
                tx.add({.name = "saga.list", .text = text}, conditions.params);
            tx.flush();
            app::Page<app::SagaOfOrder, domain::SagaId> page{with_steps(tx, found.rows()), {}};
            if (page.items.size() > limit) {
                page.items.resize(limit);
                page.next = page.items.back().saga.id;
            }
            return page;
        });
}

}  // namespace trackops::order::adapters::queries
