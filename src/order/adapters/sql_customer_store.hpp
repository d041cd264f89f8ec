// The customer store on SQLite or PostgreSQL.
#pragma once
#include <memory>

#include "order/app/customer_ports.hpp"
#include "platform/sql/database.hpp"

namespace trackops::order::adapters {

// Returns a store on the database, whose schema must be up to date and which outlives the store.
std::unique_ptr<app::CustomerStore> make_sql_customer_store(sql::Database& database);

}  // namespace trackops::order::adapters
