// The inventory reader on SQLite or PostgreSQL.
#pragma once
#include <cstdint>
#include <memory>

#include "inventory/app/ports.hpp"
#include "platform/sql/database.hpp"

namespace trackops::inventory::adapters {

// The database outlives the reader. An item without a threshold of its own is low with
// `low_stock_threshold` available units, or fewer.
std::unique_ptr<app::InventoryReader> make_inventory_reader(sql::Database& database,
                                                            std::int64_t low_stock_threshold);

}  // namespace trackops::inventory::adapters
