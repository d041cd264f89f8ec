// The reservation store on SQLite or PostgreSQL.
#pragma once
#include <memory>

#include "inventory/app/ports.hpp"
#include "platform/sql/database.hpp"

namespace trackops::inventory::adapters {

// The database outlives the store.
std::unique_ptr<app::ReservationStore> make_reservation_store(sql::Database& database);

}  // namespace trackops::inventory::adapters
