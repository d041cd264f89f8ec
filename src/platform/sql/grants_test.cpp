#include "platform/sql/grants.hpp"

#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inventory/migrations.hpp"
#include "order/migrations.hpp"
#include "platform/audit_log/migrations.hpp"
#include "platform/backends/migrate_and_grant.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/idempotency/migrations.hpp"
#include "platform/outbox/grants.hpp"
#include "platform/outbox/migrations.hpp"
#include "platform/sql/database.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/database_with_roles.hpp"

namespace trackops::sql {
namespace {

using ::testing::HasSubstr;

struct Thing {
    // For example "public.orders".
    std::string name;
    // The kind of pg_class; 'f' is a function.
    std::string kind;
    // The name of the first column.
    std::string column;
};

// Returns the privileges that `role` must have. States them independently of the grants under test.
std::string expected(std::string_view role, const Thing& thing) {
    const bool is_relay_schema = thing.name.starts_with("relay.");
    if (thing.kind == "S") return "";
    if (thing.kind == "f")
        return role == "service" && thing.name.starts_with("public.outbox_") ? "EXECUTE" : "";
    if (thing.name == "public.outbox_events") return role == "service" ? "SELECT INSERT" : "SELECT";
    if (thing.name == "public.audit_log") return "SELECT INSERT";
    if (thing.name == "public.audit_head") return "SELECT UPDATE";
    if (role == "relay") return is_relay_schema ? "SELECT INSERT UPDATE DELETE" : "";
    if (thing.name.starts_with("public.outbox_events_")) return "";
    if (thing.name == "public.outbox_partitions" || thing.name == "public.schema_migrations" ||
        is_relay_schema)
        return "SELECT";
    return "SELECT INSERT UPDATE DELETE";
}

class Grants : public ::testing::TestWithParam<std::string> {
protected:
    std::vector<backends::Component> components() const {
        return {{"outbox", outbox::migrations},
                {"idempotency", idempotency::migrations},
                {"audit_log", audit_log::migrations},
                GetParam() == "order" ? backends::Component{"order", order::migrations}
                                      : backends::Component{"inventory", inventory::migrations}};
    }
    std::unique_ptr<Database> open_as(std::string_view role) {
        return backends::open_database(role == "postgres" ? at_hand_.url() : at_hand_.url_as(role),
                                       {}, metrics_);
    }
    void bring_up(std::string_view role, std::string_view owner_role) {
        backends::migrate_and_grant(*open_as(role),
                                    owner_role.empty() ? "" : at_hand_.url_as(owner_role),
                                    components(), outbox::grants, metrics_);
    }
    static std::vector<Row> run(Database& database, std::string_view statement) {
        const auto tx = database.begin(Access::write);
        const Statement& found = tx->add({"test.run", statement}, {});
        tx->commit();
        return found.rows();
    }
    // Returns the SQLSTATE of a statement, or an empty text if it succeeds. Rolls the statement
    // back.
    static std::string tried(Database& database, std::string_view statement) {
        const auto tx = database.begin(Access::write);
        tx->add({"test.try", statement}, {});
        try {
            tx->flush();
            return "";
        } catch (const Failure& failure) {
            return failure.sqlstate;
        }
    }
    // Returns every object of the database on which privileges can be granted.
    std::vector<Thing> things() {
        std::vector<Thing> found;
        for (const Row& row : run(*open_as("postgres"), R"sql(
                SELECT nspname || '.' || relname, relkind::text, coalesce(
                           (SELECT attname::text FROM pg_attribute
                            WHERE attrelid = pg_class.oid AND attnum = 1), '')
                FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND nspname !~ '^(pg_|information)'
                UNION ALL
                SELECT nspname || '.' || pg_proc.oid::regprocedure::text, 'f', ''
                FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
                WHERE nspname !~ '^(pg_|information)' ORDER BY 1)sql")) {
            found.push_back({row.text(0), row.text(1), row.text(2)});
        }
        return found;
    }
    // Returns the privileges that a role has on an object. Determines them by attempts, not from
    // the catalogue.
    std::string able(Database& database, const Thing& thing) {
        const auto may = [&](std::string_view statement) {
            const std::string state = tried(database, statement);
            return state != "42501" && !(thing.kind == "v" && state == "55000");
        };
        if (thing.kind == "f") {
            const auto rows =
                run(database, fmt::format("SELECT has_function_privilege('{}', 'EXECUTE')",
                                          thing.name.substr(thing.name.find('.') + 1)));
            return rows.at(0).boolean(0) ? "EXECUTE" : "";
        }
        if (thing.kind == "S") {
            return may(fmt::format("SELECT nextval('{}')", thing.name)) ||
                           may(fmt::format("SELECT setval('{}', 1)", thing.name)) ||
                           may(fmt::format("SELECT last_value FROM {}", thing.name))
                       ? "USAGE"
                       : "";
        }
        std::string all;
        const auto add = [&](std::string_view privilege, const std::string& statement) {
            if (!may(statement)) return;
            if (!all.empty()) all += ' ';
            all += privilege;
        };
        add("SELECT", fmt::format("SELECT 1 FROM {}", thing.name));
        add("INSERT", fmt::format("INSERT INTO {} DEFAULT VALUES", thing.name));
        add("UPDATE", fmt::format("UPDATE {} SET {} = DEFAULT", thing.name, thing.column));
        add("DELETE", fmt::format("DELETE FROM {}", thing.name));
        if (thing.kind != "v") add("TRUNCATE", fmt::format("TRUNCATE {}", thing.name));
        return all;
    }

    testing::DatabaseWithRoles at_hand_;
    telemetry::Registry metrics_;
};
INSTANTIATE_TEST_SUITE_P(Databases, Grants, ::testing::Values("order", "inventory"),
                         [](const auto& instance) { return instance.param; });

TEST_P(Grants, AreWhatTheTableSaysForEachThingInTheDatabase) {
    bring_up("owner", "");
    const auto all = things();
    EXPECT_GT(all.size(), 15U);
    for (const std::string role : {"service", "relay"}) {
        const auto database = open_as(role);
        for (const Thing& thing : all)
            EXPECT_EQ(able(*database, thing), expected(role, thing)) << role << " " << thing.name;
    }
}

TEST_P(Grants, LetNeitherRoleChangeTheSchema) {
    bring_up("owner", "");
    for (const std::string role : {"service", "relay"}) {
        const auto database = open_as(role);
        for (const std::string statement :
             {"CREATE TABLE public.mine (id int)", "CREATE TABLE relay.mine (id int)",
              "CREATE TEMP TABLE mine (id int)", "CREATE SCHEMA mine",
              "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
              "CREATE INDEX mine ON outbox_events (type)", "ALTER TABLE outbox_events ADD mine int",
              "DROP TABLE outbox_events", "DROP TABLE relay.lease", "DROP VIEW outbox_partitions",
              "ALTER TABLE outbox_events OWNER TO CURRENT_USER",
              "GRANT SELECT ON outbox_events TO PUBLIC",
              "COMMENT ON TABLE relay.lease IS 'mine'"}) {
            const std::string state = tried(*database, statement);
            // A GRANT without the right to grant is only a warning if it grants nothing.
            EXPECT_TRUE(state == "42501" || statement.starts_with("GRANT")) << role << statement;
        }
        EXPECT_EQ(tried(*open_as("relay"), "SELECT 1 FROM outbox_events"), "");
    }
    EXPECT_FALSE(run(*open_as("postgres"),
                     "SELECT has_table_privilege('pg_monitor', 'outbox_events', 'SELECT')")
                     .at(0)
                     .boolean(0));
}

TEST_P(Grants, LetTheServiceMakePartitionsAndTheRelayReadThem) {
    bring_up("service", "owner");
    const auto service = open_as("service");
    EXPECT_EQ(run(*service, "SELECT made FROM outbox_make_partitions(1000000, 9)").at(0).integer(0),
              6);
    EXPECT_TRUE(
        run(*service, "SELECT outbox_drop_partition('2020-01-01', '2030-01-01')").at(0).is_null(0));
    EXPECT_EQ(tried(*open_as("relay"), "SELECT 1 FROM outbox_events"), "");
    EXPECT_EQ(tried(*open_as("relay"), "SELECT outbox_make_partitions(1, 1)"), "42501");
    const auto database = open_as("service");
    for (const Thing& thing : things())
        EXPECT_EQ(able(*database, thing), expected("service", thing)) << thing.name;
}

TEST_P(Grants, AreNothingToDoTheSecondTime) {
    bring_up("owner", "");
    EXPECT_EQ(grant(*open_as("owner"), outbox::grants), 0U);
    EXPECT_EQ(grant(*open_as("service"), outbox::grants), 0U);
    EXPECT_EQ(grant(*open_as("relay"), outbox::grants), 0U);
}

TEST_P(Grants, LetNoServiceChangeTheAuditLog) {
    bring_up("owner", "");
    for (const char* role : {"service", "relay"}) {
        for (const char* statement :
             {"UPDATE audit_log SET actor = ''", "DELETE FROM audit_log", "TRUNCATE audit_log",
              "DELETE FROM audit_head", "DROP TABLE audit_log"})
            EXPECT_EQ(tried(*open_as(role), statement), "42501") << role << ": " << statement;
        EXPECT_EQ(tried(*open_as(role), "SELECT 1 FROM audit_log"), "");
    }
}

TEST_P(Grants, ReachWhatIsNewAndTakeBackWhatIsTooMuch) {
    bring_up("owner", "");
    const auto owner = open_as("owner");
    run(*owner, "CREATE TABLE novelty (id bigint GENERATED ALWAYS AS IDENTITY, text text)");
    run(*owner, fmt::format("GRANT SELECT ON novelty TO {}", at_hand_.name_of("relay")));
    run(*owner, fmt::format("GRANT UPDATE ON outbox_events TO {}", at_hand_.name_of("service")));
    EXPECT_EQ(grant(*owner, outbox::grants), 6U);
    EXPECT_EQ(tried(*open_as("service"), "INSERT INTO novelty (text) VALUES ('a')"), "");
    EXPECT_EQ(tried(*open_as("relay"), "SELECT 1 FROM novelty"), "42501");
    EXPECT_EQ(tried(*open_as("service"), "UPDATE outbox_events SET type = ''"), "42501");
}

TEST_P(Grants, LetTheServiceStartWhereNothingIsToDo) {
    bring_up("owner", "");
    EXPECT_NO_THROW(bring_up("service", ""));
}

TEST_P(Grants, SayWhichMigrationIsMissingToWhoMayNotApplyIt) {
    const auto refusal = [&] {
        try {
            bring_up("service", "");
        } catch (const Failure& failure) {
            return std::string(failure.what());
        }
        return std::string();
    };
    EXPECT_THAT(refusal(),
                HasSubstr("outbox/0001_messaging.sql is missing, and this role may not"));
    const auto owner = open_as("owner");
    const auto all = components();
    for (std::size_t i = 0; i + 1 < all.size(); ++i) migrate(*owner, all[i].name, all[i].files);
    grant(*owner, outbox::grants);
    EXPECT_THAT(refusal(), HasSubstr(fmt::format("{}/0001", GetParam())));
}

TEST_P(Grants, AreMadeByManyReplicasAtOnce) {
    constexpr int replicas = 4;
    std::latch ready(replicas);
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < replicas; ++i) {
            threads.emplace_back([&] {
                ready.arrive_and_wait();
                EXPECT_NO_THROW(bring_up("service", "owner"));
            });
        }
    }
    EXPECT_EQ(grant(*open_as("owner"), outbox::grants), 0U);
}

// The superuser creates everything first.
TEST_P(Grants, ReachADatabaseThatWasThereBeforeItsRoles) {
    bring_up("postgres", "");
    at_hand_.make_roles();
    bring_up("service", "owner");
    for (const std::string role : {"service", "relay"}) {
        const auto database = open_as(role);
        for (const Thing& thing : things())
            EXPECT_EQ(able(*database, thing), expected(role, thing)) << role << " " << thing.name;
    }
}

TEST_P(Grants, AreOfRolesWithNoAttributesBeyondReplication) {
    const auto rows =
        run(*open_as("postgres"),
            fmt::format("SELECT rolname::text FROM pg_roles WHERE rolname ~ '^{}_' AND "
                        "(rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR "
                        "rolreplication) ORDER BY 1",
                        at_hand_.url().substr(at_hand_.url().rfind('/') + 1)));
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].text(0), at_hand_.name_of("relay"));
}

TEST(GrantsOfSqlite, AreNone) {
    const testing::FreshDatabase fresh("sqlite");
    telemetry::Registry metrics;
    const auto database = backends::open_database(fresh.url(), {}, metrics);
    const std::vector<backends::Component> components = {{"outbox", outbox::migrations}};
    backends::migrate_and_grant(*database, "", components, outbox::grants, metrics);
    EXPECT_EQ(grant(*database, outbox::grants), 0U);
}

}  // namespace
}  // namespace trackops::sql
