// Brings a database to the state that this build of a service needs: its tables and its grants.
#pragma once
#include <span>
#include <string_view>

#include "platform/sql/grants.hpp"
#include "platform/sql/migrations.hpp"

namespace trackops::telemetry {
class Registry;
}

namespace trackops::backends {

struct Component {
    std::string_view name;
    std::span<const sql::MigrationFile> files;
};

// Migrates the components in order and grants. With an `owner_url` it does so over a connection to
// that URL, and then checks that `database` has all migrations. Without one it uses `database`,
// which needs the rights of an owner only if there is something to change. Throws as migrate()
// does, and std::invalid_argument for an invalid URL.
void migrate_and_grant(sql::Database& database, std::string_view owner_url,
                       std::span<const Component> components, std::span<const sql::Grant> grants,
                       telemetry::Registry& metrics);

}  // namespace trackops::backends
