// The conversion between table rows and items, reservations and movements; shared by the stores.
#pragma once
#include <string>
#include <vector>

#include "inventory/app/ports.hpp"
#include "platform/sql/database.hpp"

namespace trackops::inventory::adapters {

// The columns are sku, name, description, category, unit_amount, currency, low_stock_threshold,
// on_hand, reserved, version, created_at, updated_at.
domain::Item item_of(const sql::Row& row);
sql::Params params_of(const domain::Item& item);

// The columns are id, order_id, status, reason, shortages, replies, created_at, updated_at; without
// the lines.
domain::Reservation reservation_of(const sql::Row& row);
sql::Params params_of(const domain::Reservation& reservation);

// A new row of the ledger.
struct NewMovement {
    domain::Movement movement;
    std::string reason;
    std::optional<domain::OrderId> order_id;
};
// Queues the statement that inserts the movements into the ledger.
void add_movements(sql::Transaction& tx, const std::vector<NewMovement>& movements, Instant now);

}  // namespace trackops::inventory::adapters
