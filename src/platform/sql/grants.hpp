// Rules that say which role may do what with which table, and a function that applies them to
// PostgreSQL.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace trackops::sql {

class Database;

enum class Securable : std::uint8_t { schema, table, function };  // a view counts as a table

// A rule for the roles DATABASE_service and DATABASE_relay (servers/roles.sql). For an object the
// first rule of its kind with a matching name applies ("public.orders"; "public.*" matches every
// name with that beginning). Only the owner may touch sequences and objects without a rule.
struct Grant {
    Securable kind;
    std::string_view name;
    std::string_view service;  // "SELECT INSERT"; "" for no right
    std::string_view relay;
};

// Grants the missing rights and revokes those that no rule gives, of objects that the session's
// role owns. Does nothing on SQLite, without the roles, or when every right is as the rules say.
// Returns the number of changed grants. Several processes may call it at once.
std::size_t grant(Database& database, std::span<const Grant> grants);

}  // namespace trackops::sql
