// A database as a health component.
#pragma once
#include "platform/telemetry/health.hpp"

namespace trackops::sql {

class Database;

// "db": UP when a round trip to the server succeeds within its timeouts. The database outlives the
// component.
telemetry::Component health_component(Database& database);

}  // namespace trackops::sql
