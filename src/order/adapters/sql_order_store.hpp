// Orders in SQLite or PostgreSQL.
#pragma once
#include <memory>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "order/app/ports.hpp"
#include "platform/sql/database.hpp"

namespace trackops::order::adapters {

// Everything outlives the store. ids makes the ids of events; clock dates claims and keys.
std::unique_ptr<app::OrderStore> make_sql_order_store(sql::Database& database, const Clock& clock,
                                                      Ids& ids);

}  // namespace trackops::order::adapters
