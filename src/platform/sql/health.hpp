// A database as a health component.
#pragma once
#include "platform/telemetry/health.hpp"

namespace trackops::sql {

class Database;

// Returns the component "db". It is UP if Database::ping() succeeds: the database can be written.
// `database` outlives the component.
telemetry::Component health_component(Database& database);

}  // namespace trackops::sql
