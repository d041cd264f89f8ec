// A transaction on a pooled connection, in segments: each flush() sends one, commit() sends the
// last.
#pragma once
#include <memory>

#include "platform/postgres/pool.hpp"
#include "platform/sql/database.hpp"

namespace trackops::sql::postgres {

// Takes a connection at once and sends nothing. `pool` outlives the transaction.
std::unique_ptr<Transaction> begin(Pool& pool, Access access);

}  // namespace trackops::sql::postgres
