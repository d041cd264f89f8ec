#include "platform/sql/migrations.hpp"

#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "platform/backends/open_database.hpp"
#include "platform/sql/database.hpp"
#include "platform/sql/migration_file.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"

namespace trackops::sql {
namespace {

using Files = std::vector<MigrationFile>;
using Statements = std::vector<std::string>;

constexpr MigrationFile one{
    "0001_one.sql",
    "CREATE TABLE one (id ${uuid} PRIMARY KEY, key ${key}) ${table};\n"
    "INSERT INTO one VALUES ('00000000-0000-7000-8000-000000000000', 'a');\n"};
constexpr MigrationFile two{"0002_two.sql",
                            "CREATE TABLE two (id ${identity}, at ${instant}, data ${json},\n"
                            "    amount ${integer}, done ${boolean}, raw ${bytes});"};

class Migrations : public ::testing::TestWithParam<std::string> {
protected:
    std::unique_ptr<Database> open_again() {
        return backends::open_database(fresh_.url(), {}, metrics_);
    }
    std::size_t apply(const Files& files) { return migrate(*database_, "test", files); }
    std::vector<Row> read(std::string_view text) {
        const auto tx = database_->begin(Access::read);
        const auto& statement = tx->add({"test.read", text}, {});
        tx->commit();
        return statement.rows();
    }
    // Returns why the files are refused, or an empty text if they are accepted.
    std::string refusal(const Files& files) {
        try {
            apply(files);
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return "";
    }

    testing::FreshDatabase fresh_{GetParam()};
    telemetry::Registry metrics_;
    std::unique_ptr<Database> database_ = backends::open_database(fresh_.url(), {}, metrics_);
};

INSTANTIATE_TEST_SUITE_P(Databases, Migrations, ::testing::ValuesIn(testing::databases),
                         [](const auto& instance) { return instance.param; });

TEST_P(Migrations, ApplyEachFileOnce) {
    EXPECT_EQ(apply({one}), 1U);
    EXPECT_EQ(apply({one, two}), 1U);
    EXPECT_EQ(apply({one, two}), 0U);
    EXPECT_EQ(read("SELECT key FROM one").size(), 1U);
    const auto rows =
        read("SELECT component, version, name, applied_at FROM schema_migrations ORDER BY version");
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[1].text(0), "test");
    EXPECT_EQ(rows[1].integer(1), 2);
    EXPECT_EQ(rows[1].text(2), "0002_two.sql");
    EXPECT_GT(rows[1].instant(3), Instant{1'700'000'000'000'000});
}

TEST_P(Migrations, CountEachComponentByItself) {
    EXPECT_EQ(apply({one}), 1U);
    const MigrationFile other{"0001_two.sql", two.text};
    EXPECT_EQ(migrate(*database_, "other", Files{other}), 1U);
    EXPECT_EQ(apply({one}), 0U);
}

TEST_P(Migrations, AreAppliedOnceByManyAtOnce) {
    constexpr int migrators = 4;
    std::latch all_ready(migrators);
    std::atomic<std::size_t> applied = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < migrators; ++i) {
            threads.emplace_back([&] {
                const auto database = open_again();
                all_ready.arrive_and_wait();
                EXPECT_NO_THROW(applied += migrate(*database, "test", Files{one, two}));
            });
        }
    }
    EXPECT_EQ(applied, 2U);
    EXPECT_EQ(read("SELECT key FROM one").size(), 1U);
}

TEST_P(Migrations, WaitForAnotherProcessThatMigrates) {
    apply({one});
    const auto other = open_again();
    auto busy = other->begin(Access::write);
    busy->add({"lock", "SELECT 1", "SELECT pg_advisory_xact_lock(7226014823)"}, {});
    busy->flush();
    const auto impatient = backends::open_database(
        fresh_.url(), {.lock_timeout = std::chrono::milliseconds(5)}, metrics_);
    std::atomic<bool> done = false;
    std::jthread late([&] {
        migrate(*impatient, "test", Files{one, two});
        done = true;
    });
    // Waits until the migration has timed out on the lock at least once.
    while (metrics_.prometheus_text().find("fault=\"unavailable\"} 0") != std::string::npos)
        std::this_thread::yield();
    EXPECT_FALSE(done);
    busy.reset();
    late.join();
    EXPECT_TRUE(read("SELECT id FROM two").empty());
}

TEST_P(Migrations, RefuseASchemaThatIsNewer) {
    apply({one, two});
    EXPECT_NE(refusal({one}).find("newer"), std::string::npos);
}

TEST_P(Migrations, RefuseAFileThatHasChanged) {
    apply({one});
    EXPECT_NE(refusal({{one.name, "CREATE TABLE one (id ${uuid})"}, two}).find("has changed"),
              std::string::npos);
    EXPECT_NE(refusal({{one.name, "CREATE TABLE one (id ${uuid})"}}).find("has changed"),
              std::string::npos);
    EXPECT_EQ(refusal({one}), "");
}

TEST_P(Migrations, RefuseAFileAddedBelowWhatIsApplied) {
    const std::string other = GetParam() == "sqlite" ? "postgres" : "sqlite";
    const auto foreign = "0001_first." + other + ".sql";
    const auto late = "0001_first." + GetParam() + ".sql";
    apply({{foreign, "SELECT 1"}, two});
    EXPECT_NE(refusal({{foreign, "SELECT 1"}, {late, "SELECT 1"}, two}).find("added below"),
              std::string::npos);
}

TEST_P(Migrations, ApplyToEachDatabaseItsOwnFiles) {
    const Files files = {
        {"0001_a.postgres.sql",
         "CREATE TABLE ours (id int);\nCREATE TABLE only_postgres (id int);"},
        {"0001_a.sqlite.sql", "CREATE TABLE ours (id int);\nCREATE TABLE only_sqlite (id int);"},
        {"0002_b.postgres.sql", "CREATE TABLE two (id bigserial);"},
        {"0003_c.sql", "CREATE TABLE three (id ${identity});"}};
    EXPECT_EQ(apply(files), GetParam() == "postgres" ? 3U : 2U);
    EXPECT_TRUE(read("SELECT id FROM only_" + GetParam()).empty());
    EXPECT_THROW(read(GetParam() == "sqlite" ? "SELECT id FROM only_postgres"
                                             : "SELECT id FROM only_sqlite"),
                 Failure);
    EXPECT_EQ(apply(files), 0U);
}

TEST_P(Migrations, LeaveNothingOfAFileThatFails) {
    const MigrationFile bad{"0002_bad.sql",
                            "CREATE TABLE half (id ${uuid});\nINSERT INTO nowhere VALUES (1);"};
    EXPECT_NE(refusal({one, bad}).find("test/0002_bad.sql"), std::string::npos);
    EXPECT_THROW(read("SELECT id FROM half"), Failure);
    EXPECT_EQ(apply({one, two}), 1U);
}

TEST_P(Migrations, RunWhatSplittingMustNotTear) {
    const MigrationFile tricky{
        "0002_tricky.sql",
        "-- a comment; with a semicolon\n"
        "INSERT INTO one VALUES ('00000000-0000-7000-8000-000000000001', 'b;''--;');\n-- and ;\n"
        "/* ; */ INSERT INTO one VALUES ('00000000-0000-7000-8000-000000000002', 'c');"};
    EXPECT_EQ(apply({one, tricky}), 2U);
    const auto rows = read("SELECT key FROM one ORDER BY key");
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[1].text(0), "b;'--;");
}

TEST_P(Migrations, GatherStatisticsForThePlanner) {
    apply({one, two});
    const auto rows = read(GetParam() == "sqlite"
                               ? "SELECT 1 FROM sqlite_stat1 WHERE tbl = 'one'"
                               : "SELECT 1 FROM pg_class WHERE relname = 'one' AND reltuples = 1");
    EXPECT_EQ(rows.size(), 1U);
}

void expect_bad(const Files& files, std::string_view why) {
    for (const auto dialect : {Dialect::sqlite, Dialect::postgres}) {
        try {
            plan_migrations(files, dialect);
            ADD_FAILURE() << "taken, and not refused for: " << why;
        } catch (const std::logic_error& error) {
            EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
        }
    }
}

TEST(MigrationFiles, AreRefusedWhenTheyMakeNoSense) {
    expect_bad({two}, "0001 is missing");
    expect_bad({one, {"0003_c.sql", "SELECT 1"}}, "0002 is missing");
    expect_bad({{"0000_a.sql", "SELECT 1"}, one}, "0001 is missing");
    expect_bad({one, {"0001_other.sql", "SELECT 1"}}, "taken");
    expect_bad({one, {"0001_other.postgres.sql", "SELECT 1"}}, "taken");
    expect_bad({{"0001_a.sqlite.sql", "SELECT 1"}, {"0001_b.sqlite.sql", "SELECT 1"}}, "taken");
    expect_bad({{"0001_a.sql", "CREATE TABLE a (id ${uid})"}}, "${uid}");
    expect_bad({{"0001_a.postgres.sql", "CREATE TABLE a (id ${key"}}, "unknown word");
    expect_bad({{"0001_a.sql", "-- nothing;\n;\n"}}, "no statement");
    for (const auto* name : {"1_a.sql", "0001.sql", "0001_.sql", "0001-a.sql", "0001_a",
                             "0001_a.mysql.sql", "000x_a.sql"}) {
        expect_bad({{name, "SELECT 1"}}, name);
    }
}

TEST(MigrationFiles, AreOrderedByNumberAndCheckedByTheirText) {
    const auto plan = plan_migrations(Files{two, one}, Dialect::sqlite);
    ASSERT_EQ(plan.migrations.size(), 2U);
    EXPECT_EQ(plan.migrations[0].version, 1);
    EXPECT_EQ(plan.newest, 2);
    const auto on_postgres = plan_migrations(Files{one, two}, Dialect::postgres);
    EXPECT_EQ(plan.migrations[0].checksum, on_postgres.migrations[0].checksum);
    EXPECT_NE(plan.migrations[0].checksum, plan.migrations[1].checksum);
    EXPECT_NE(plan.migrations[0].statements, on_postgres.migrations[0].statements);
}

TEST(SplitStatements, EndsAtASemicolonThatEndsALine) {
    EXPECT_EQ(split_statements("a;\nb\nc;\n\n;\nd"), (Statements{"a", "b\nc", "d\n"}));
    EXPECT_EQ(split_statements("a -- x;y\n+ 1;"), (Statements{"a -- x;y\n+ 1"}));
    EXPECT_EQ(split_statements("a 'b;'\n'c;d';\ne"), (Statements{"a 'b;'\n'c;d'", "e\n"}));
    EXPECT_EQ(split_statements("DO $$\na;\n-- b;\n\n$$;\nc;"),
              (Statements{"DO $$\na;\n-- b;\n\n$$", "c"}));
    EXPECT_EQ(split_statements("DO $$ a; $$;\nb;"), (Statements{"DO $$ a; $$", "b"}));
    EXPECT_EQ(split_statements(" -- only;\n-- comments;\n"), Statements{});
}

}  // namespace
}  // namespace trackops::sql
