// The conversion of table rows to orders and sagas.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "order/app/ports.hpp"
#include "platform/sql/database.hpp"

namespace trackops::order::adapters {

// An order aggregate as it was read, with the state that a save compares it with.
struct LoadedOrder {
    domain::OrderAggregate record;
    std::int64_t revision = 0;
    std::vector<domain::Saga> sagas_before;
};
using LoadedOrders = std::map<domain::OrderId, LoadedOrder>;

// Queues the statements that read the orders. take() returns the orders after the flush of the
// transaction; an id without an order is missing from them. Sagas are read only `with_sagas`.
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

// Each function reads a row of the columns named above it, in that order. Throws std::logic_error
// when the row holds an unknown name.

// The columns of the statement order.load; without items and sagas.
LoadedOrder order_of(const sql::Row& row);
// order_id, sku, name, quantity, unit_amount
domain::Line line_of(const sql::Row& row);
// id, type, order_id, status, deadline_at, next_attempt_at, started_at, finished_at. The saga is
// returned without its steps.
app::SagaOfOrder saga_of(const sql::Row& row);
// saga_id, name, status, attempts, started_at, finished_at, last_error
domain::SagaStep step_of(const sql::Row& row);
// revision, version, type, status, payload, actor, correlation_id, causation_id, event_id,
// occurred_at. The entry is returned without the status before it.
app::HistoryEntry history_entry_of(const sql::Row& row);

}  // namespace trackops::order::adapters
