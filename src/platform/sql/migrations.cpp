#include "platform/sql/migrations.hpp"

#include <chrono>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "platform/sql/batch.hpp"
#include "platform/sql/database.hpp"
#include "platform/sql/migration_file.hpp"

namespace trackops::sql {
namespace {

// Each attempt waits for at most the lock_timeout of the database; with the default that makes five
// minutes for another process to finish.
constexpr int attempts_max = 100;

// One lock serves all components of a database and is held to the end of the transaction. On SQLite
// the write transaction is that lock.
constexpr Query take_lock{.name = "migrations.lock",
                          .text = "SELECT 1",
                          .postgres = "SELECT pg_advisory_xact_lock(7226014823)"};
// The creation of an index on a large table has no time limit, nor has its ANALYZE.
constexpr Query take_time{
    .name = "migrations.time", .text = "SELECT 1", .postgres = "SET LOCAL statement_timeout = 0"};
constexpr Query find_table{
    .name = "migrations.find",
    .text = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'",
    .postgres = "SELECT 1 WHERE to_regclass('schema_migrations') IS NOT NULL"};
constexpr Query make_table{.name = "migrations.make",
                           .text = R"sql(
    CREATE TABLE schema_migrations (
        component TEXT NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL, checksum TEXT NOT NULL,
        applied_at TEXT NOT NULL, PRIMARY KEY (component, version))
)sql",
                           .postgres = R"sql(
    CREATE TABLE schema_migrations (
        component TEXT NOT NULL, version bigint NOT NULL, name TEXT NOT NULL, checksum TEXT NOT NULL,
        applied_at timestamptz NOT NULL, PRIMARY KEY (component, version))
)sql"};
constexpr Query load_applied{.name = "migrations.load", .text = R"sql(
    SELECT version, name, checksum FROM schema_migrations WHERE component = $1 ORDER BY version
)sql"};
constexpr Query save_applied{.name = "migrations.save", .text = R"sql(
    INSERT INTO schema_migrations (component, version, name, checksum, applied_at) VALUES ($1, $2, $3, $4, $5)
)sql"};
// Lists our own tables and leaves out those of the server. On SQLite one ANALYZE does it all.
constexpr Query list_tables{
    .name = "migrations.tables", .text = "SELECT 'ANALYZE'", .postgres = R"sql(
    SELECT format('ANALYZE %I.%I', schemaname, tablename) FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
)sql"};

Instant now() {
    const auto at = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<Duration>(at).count()};
}

// Throws when an applied migration differs from its file.
void require_same(std::string_view component, const Row& applied, const MigrationPlan& plan,
                  const std::map<std::int64_t, const Migration*>& by_version) {
    const auto version = applied.integer(0);
    if (version > plan.newest) {
        throw std::runtime_error(
            fmt::format("{}: the schema is at {:04} ({}), newer than this program's {:04}",
                        component, version, applied.text(1), plan.newest));
    }
    const auto found = by_version.find(version);
    if (found == by_version.end() || found->second->checksum != applied.text(2)) {
        throw std::runtime_error(fmt::format("{}: migration {} has changed since it was applied",
                                             component, applied.text(1)));
    }
}

// Returns the migrations that are not applied, oldest first.
std::map<std::int64_t, const Migration*> unapplied_of(Transaction& tx, std::string_view component,
                                                      const MigrationPlan& plan, bool has_table) {
    std::map<std::int64_t, const Migration*> by_version;
    for (const auto& migration : plan.migrations) by_version.emplace(migration.version, &migration);
    if (!has_table) return by_version;
    const auto& applied = tx.add(load_applied, {component});
    tx.flush();
    std::int64_t last = 0;
    for (const auto& row : applied.rows()) {
        require_same(component, row, plan, by_version);
        last = row.integer(0);
    }
    const auto first_pending = by_version.upper_bound(last);
    if (std::cmp_not_equal(std::distance(by_version.begin(), first_pending),
                           applied.rows().size())) {
        throw std::runtime_error(fmt::format(
            "{}: a migration was added below {:04}, which is applied", component, last));
    }
    by_version.erase(by_version.begin(), first_pending);
    return by_version;
}

// Applies the next migration, if there is one.
bool apply_next(Database& database, std::string_view component, const MigrationPlan& plan) {
    const auto tx = database.begin(Access::write);
    tx->add(take_time, {});
    tx->add(take_lock, {});
    const auto& table = tx->add(find_table, {});
    tx->flush();
    const auto pending = unapplied_of(*tx, component, plan, !table.rows().empty());
    if (pending.empty()) {
        tx->commit();
        return false;
    }
    const auto& next = *pending.begin()->second;
    try {
        if (table.rows().empty()) tx->add(make_table, {});
        for (const auto& statement : next.statements) tx->add({next.name, statement}, {});
        tx->add(save_applied, {component, next.version, next.name, next.checksum, now()});
        tx->commit();
    } catch (const Failure& failure) {
        // 3F000: the role may not even use the schema.
        const bool is_forbidden = failure.sqlstate == "42501" || failure.sqlstate == "3F000";
        throw Failure(failure.fault, failure.sqlstate,
                      fmt::format("migration {}/{}{}: {}", component, next.name,
                                  is_forbidden ? " is missing, and this role may not apply it: the "
                                                 "database's owner must migrate first"
                                               : "",
                                  failure.what()));
    }
    return true;
}

// Repeats `work` while another session holds a lock, or after the answer of the commit was lost;
// the table shows what was done.
template <class Work>
auto with_lock_retries(Database& database, Work work) {
    for (int attempt = 0;; ++attempt) {
        try {
            return work();
        } catch (const Failure& failure) {
            const bool again = failure.fault == Fault::retryable ||
                               failure.fault == Fault::outcome_unknown ||
                               failure.sqlstate == "55P03";
            if (!again || attempt >= attempts_max) throw;
        }
        database.back_off(attempt);
    }
}

void analyze(Database& database) {
    const auto tx = database.begin(Access::write);
    tx->add(take_time, {});
    const auto& tables = tx->add(list_tables, {});
    tx->flush();
    for (const auto& row : tables.rows()) tx->add({"migrations.analyze", row.text(0)}, {});
    tx->commit();
}

}  // namespace

std::size_t migrate(Database& database, std::string_view component,
                    std::span<const MigrationFile> files) {
    const auto plan = plan_migrations(files, database.dialect());
    std::size_t applied = 0;
    while (with_lock_retries(database, [&] { return apply_next(database, component, plan); }))
        ++applied;
    if (applied > 0) with_lock_retries(database, [&] { analyze(database); });
    return applied;
}

}  // namespace trackops::sql
