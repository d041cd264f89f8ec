#include "platform/sql/health.hpp"

#include "platform/sql/database.hpp"

namespace trackops::sql {

telemetry::Component health_component(Database& database) {
    return {
        .name = "db", .ask = [&database] {
            database.ping();
            return telemetry::ComponentHealth{.details = {{"database", database.description()}}};
        }};
}

}  // namespace trackops::sql
