#include "platform/sql/grants.hpp"

#include <array>
#include <string>
#include <vector>

#include "platform/sql/database.hpp"

namespace trackops::sql {
namespace {

// The words of GRANT in the order of Securable.
constexpr std::array<const char*, 3> kinds = {"SCHEMA", "TABLE", "FUNCTION"};
static_assert(kinds.size() == static_cast<std::size_t>(Securable::function) + 1);

// One process at a time holds the lock of the migrations; the migration of another process may take
// long.
constexpr std::array<Query, 2> allow_long_statements = {
    Query{"grants.patience", "SET LOCAL lock_timeout = '5min'"},
    Query{"grants.patience", "SET LOCAL statement_timeout = '5min'"}};
constexpr Query take_lock{.name = "grants.lock",
                          .text = "SELECT pg_advisory_xact_lock(7226014823)"};

// Returns the GRANT and REVOKE statements that lead from the granted rights in the catalogue to the
// rules ($1 rank, $2 kind, $3 name, $4 service, $5 relay).
constexpr Query list_changes{.name = "grants.list",
                             .text = "SELECT 1 WHERE $1 = $2 AND $3 = $4 AND $5 = ''",
                             .postgres_batch = R"sql(
    WITH rule AS (
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[])
                      AS rule (rank, kind, name, service, relay)
    ), thing AS (
        SELECT 'SCHEMA' AS kind, nspname AS schema, nspname::text AS name, quote_ident(nspname) AS quoted,
               nspowner AS owner, nspacl AS acl FROM pg_namespace
        UNION ALL
        SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, nspname,
               nspname || '.' || relname, format('%I.%I', nspname, relname), relowner, relacl
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        UNION ALL
        SELECT 'FUNCTION', nspname, nspname || '.' || proname, pg_proc.oid::regprocedure::text,
               proowner, proacl
        FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
    ), ours AS (
        SELECT * FROM thing WHERE schema !~ '^(pg_|information_schema$)' AND pg_has_role(owner, 'USAGE')
    ), grantee AS (
        SELECT kind AS role, rolname, oid FROM (VALUES ('service'), ('relay')) AS each (kind)
        JOIN pg_roles ON rolname = current_database() || '_' || kind
    ), wanted AS (
        SELECT ours.kind, quoted, rolname, privilege
        FROM ours CROSS JOIN grantee CROSS JOIN LATERAL (
            SELECT CASE role WHEN 'service' THEN service ELSE relay END AS privileges FROM rule
            WHERE rule.kind = ours.kind
              AND (rule.name = ours.name
                   OR rule.name LIKE '%*' AND starts_with(ours.name, left(rule.name, -1)))
            ORDER BY rank LIMIT 1) AS first
        CROSS JOIN LATERAL unnest(string_to_array(privileges, ' ')) AS privilege
    ), held AS (
        SELECT ours.kind, quoted, rolname, privilege_type
        FROM ours CROSS JOIN LATERAL aclexplode(acl) AS acl JOIN grantee ON grantee.oid = acl.grantee
    )
    SELECT format('GRANT %s ON %s %s TO %I', privilege, kind, quoted, rolname)
    FROM (SELECT * FROM wanted EXCEPT SELECT * FROM held) AS missing
    UNION ALL
    SELECT format('REVOKE %s ON %s %s FROM %I', privilege_type, kind, quoted, rolname)
    FROM (SELECT * FROM held EXCEPT SELECT * FROM wanted) AS left_over
)sql"};

}  // namespace

std::size_t grant(Database& database, std::span<const Grant> grants) {
    if (database.dialect() != Dialect::postgres) return 0;
    std::vector<Params> rules;
    for (const Grant& rule : grants) {
        rules.push_back({static_cast<std::int64_t>(rules.size()),
                         kinds.at(static_cast<std::size_t>(rule.kind)), rule.name, rule.service,
                         rule.relay});
    }
    const auto tx = database.begin(Access::write);
    for (const Query& timeout : allow_long_statements) tx->add(timeout, {});
    tx->add(take_lock, {});
    const Statement& changes = tx->add_batch(list_changes, std::move(rules));
    tx->flush();
    for (const Row& row : changes.rows()) tx->add({"grants.change", row.text(0)}, {});
    tx->commit();
    return changes.rows().size();
}

}  // namespace trackops::sql
