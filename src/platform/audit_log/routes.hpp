// GET /api/audit: the audit log of a service's database, the newest rows first.
#pragma once
#include <vector>

#include "platform/http/route.hpp"
#include "platform/sql/database.hpp"

namespace trackops::audit_log {

// The database outlives the routes.
std::vector<http::Route> routes(sql::Database& database);
// Returns the same row with an empty handler.
std::vector<http::Route> route_table();

}  // namespace trackops::audit_log
