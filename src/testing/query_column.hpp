// Reads one column of a database, for tests that look at tables.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace trackops::sql {
class Database;
}

namespace trackops::testing {

// Returns the only column of a query, as text. Throws sql::Failure.
std::vector<std::string> query_column(sql::Database& database, std::string_view text);

}  // namespace trackops::testing
