// The ports of inventory over SQL. The database outlives what is made. Locks are taken in one order
// everywhere: inbox ids, reservations, SKUs, then what is inserted (reservations, clients' keys);
// each sorted bytewise.
#pragma once
#include <memory>

#include "inventory/app/ports.hpp"
#include "platform/sql/database.hpp"

namespace trackops::inventory::adapters {

std::unique_ptr<app::ReservationStore> make_reservation_store(sql::Database& database);
std::unique_ptr<app::ItemStore> make_item_store(sql::Database& database);
std::unique_ptr<app::InventoryReader> make_inventory_reader(sql::Database& database);

}  // namespace trackops::inventory::adapters
