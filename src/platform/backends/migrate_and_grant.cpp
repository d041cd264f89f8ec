#include "platform/backends/migrate_and_grant.hpp"

#include "platform/backends/open_database.hpp"

namespace trackops::backends {

void migrate_and_grant(sql::Database& database, std::string_view owner_url,
                       std::span<const Component> components, std::span<const sql::Grant> grants,
                       telemetry::Registry& metrics) {
    if (!owner_url.empty()) {
        const auto owners = open_database(owner_url, {.connections_max = 1}, metrics);
        for (const auto& [name, files] : components) sql::migrate(*owners, name, files);
        sql::grant(*owners, grants);
    }
    for (const auto& [name, files] : components) sql::migrate(database, name, files);
    if (owner_url.empty()) sql::grant(database, grants);
}

}  // namespace trackops::backends
