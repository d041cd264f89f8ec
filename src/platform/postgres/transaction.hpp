// A transaction on a pooled connection, in segments: each flush() is one, commit() is the last.
#pragma once
#include <memory>

#include "platform/sql/database.hpp"
#include "platform/postgres/pool.hpp"

namespace trackops::sql::postgres {

// Takes a connection at once and sends nothing. pool outlives it.
std::unique_ptr<Transaction> begin(Pool& pool, Access access);

}  // namespace trackops::sql::postgres
