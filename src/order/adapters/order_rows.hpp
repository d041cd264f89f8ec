// Orders between tables and memory.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "order/app/ports.hpp"
#include "platform/sql/database.hpp"

namespace trackops::order::adapters {

// A record as it was read: what it is compared with when it is saved.
struct LoadedOrder {
    domain::OrderAggregate record;
    std::int64_t revision = 0;
    std::vector<domain::Saga> sagas_before;
};
using LoadedOrders = std::map<domain::OrderId, LoadedOrder>;

// Queues the statements that read orders; take() gives them after the flush. Sagas are read only
// when asked for.
class OrderLoader {
public:
    OrderLoader(sql::Transaction& tx, std::span<const domain::OrderId> ids, bool with_sagas);
    LoadedOrders take() const;

private:
    sql::Statement& orders_;
    sql::Statement& items_;
    sql::Statement* sagas_ = nullptr;
    sql::Statement* steps_ = nullptr;
};

LoadedOrder order_of(const sql::Row& row);      // without items and sagas
domain::Line line_of(const sql::Row& row);      // order_id, sku, name, quantity, unit_amount
app::SagaOfOrder saga_of(const sql::Row& row);  // id, type, order_id, status, deadline_at,
                                                // next_attempt_at, started_at, finished_at
domain::SagaStep step_of(
    const sql::Row& row);  // saga_id, name, status, attempts, started_at, finished_at, last_error

// Queue what a new or a changed order needs. The guarded update answers in affected(): fewer than
// orders says that somebody was faster.
struct OrderToSave {
    const domain::OrderAggregate& record;
    std::int64_t revision;                       // that was read; 0 for a new one
    std::span<const domain::Saga> sagas_before;  // none for a new one
    std::span<const Uuid> causes;                // one a change
    std::span<const Uuid> event_ids;             // one a notice
};
void insert_orders(sql::Transaction& tx, std::span<const OrderToSave> orders);
sql::Statement& update_orders(sql::Transaction& tx,
                              std::span<const OrderToSave> orders);  // sorted by id
void save_sagas_history_and_events(sql::Transaction& tx,
                                   std::span<const OrderToSave> orders);  // sagas, history, events

}  // namespace trackops::order::adapters
