// Who may do what with which table: a table of rules, and what brings a PostgreSQL database to it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "platform/sql/migrations.hpp"

namespace trackops::telemetry {
class Registry;
}

namespace trackops::sql {

class Database;

enum class Securable : std::uint8_t { schema, table, function };  // table: views, too

// The roles are DATABASE_service and DATABASE_relay (servers/roles.sql). Of the rules of a kind
// the first one counts whose name is that of the thing ("public.orders"; "public.*" is whatever
// begins so). What no rule names may be touched by the owner only; so may every sequence.
struct Grant {
    Securable kind;
    std::string_view name;
    std::string_view service;  // "SELECT INSERT"; "" is nothing
    std::string_view relay;
};

// Grants what the rules say and is missing, takes away what they do not say, of things whose owner
// we are; nothing is sent when nothing is to do, or on SQLite, or where the roles are not there.
// Returns how many grants it changed. Several processes may call it at once.
std::size_t grant(Database& database, std::span<const Grant> grants);

struct Component {
    std::string_view name;
    std::span<const MigrationFile> files;
};

// What a service does at start: migrates the components, in order, and grants, over owner_url if
// there is one, else over `database`, which needs the right only if there is something to do. Then
// sees that `database` has what it needs. Throws as migrate() does, and std::invalid_argument for a
// URL that is none.
void migrate_and_grant(Database& database, std::string_view owner_url,
                       std::span<const Component> components, std::span<const Grant> grants,
                       telemetry::Registry& metrics);

}  // namespace trackops::sql
