// The statements that save orders with their lines, sagas, history and events.
#pragma once
#include <cstdint>
#include <span>

#include "order/domain/order_aggregate.hpp"
#include "platform/sql/database.hpp"

namespace trackops::order::adapters {

// An order that is to be saved.
struct OrderToSave {
    const domain::OrderAggregate& record;
    std::int64_t revision;                       // the revision that was read; 0 for a new order
    std::span<const domain::Saga> sagas_before;  // the sagas as they were read; none if new
    std::span<const Uuid> event_ids;             // one for each element of record.events
};
// The functions only queue statements; the caller flushes or commits the transaction.

// Inserts new orders with their lines.
void insert_orders(sql::Transaction& tx, std::span<const OrderToSave> orders);
// Updates orders, which must be sorted by id, if they still have the revision that was read. Fewer
// affected() rows of the returned statement than orders mean a concurrency conflict. The revision
// grows by the number of events, and at least by 1.
sql::Statement& update_orders(sql::Transaction& tx, std::span<const OrderToSave> orders);
// Saves the sagas that have changed, the history and the events. Either all orders are new or none.
void save_sagas_history_and_events(sql::Transaction& tx, std::span<const OrderToSave> orders);

}  // namespace trackops::order::adapters
