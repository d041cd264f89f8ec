// The item store on SQLite or PostgreSQL.
#pragma once
#include <memory>

#include "inventory/app/ports.hpp"
#include "platform/sql/database.hpp"

namespace trackops::inventory::adapters {

// The database outlives the store.
std::unique_ptr<app::ItemStore> make_item_store(sql::Database& database);

}  // namespace trackops::inventory::adapters
