// The inventory reader on SQLite or PostgreSQL.
#pragma once
#include <memory>

#include "inventory/app/ports.hpp"
#include "platform/sql/database.hpp"

namespace trackops::inventory::adapters {

// The database outlives the reader.
std::unique_ptr<app::InventoryReader> make_inventory_reader(sql::Database& database);

}  // namespace trackops::inventory::adapters
