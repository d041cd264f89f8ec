// The contract of a database, tested against both drivers. postgres_test.cpp and sqlite_test.cpp
// test what only one of them promises.
#include <limits>
#include <memory>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "platform/backends/open_database.hpp"
#include "platform/sql/database.hpp"
#include "platform/sql/migrations.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"

namespace trackops::sql {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr MigrationFile tables[] = {{"0001_things.sql", R"sql(
    CREATE TABLE things (
        id      ${uuid} NOT NULL PRIMARY KEY,
        name    ${key} UNIQUE,
        amount  ${integer} CHECK (amount > -5),
        done    ${boolean},
        at      ${instant},
        data    ${json},
        raw     ${bytes},
        version ${integer} NOT NULL
    ) ${table};
)sql"}};

constexpr Query add_thing{"thing.add", R"sql(
    INSERT INTO things (id, name, amount, done, at, data, raw, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
)sql"};
constexpr Query load_thing{
    "thing.load",
    "SELECT id, name, amount, done, at, data, raw, version FROM things WHERE id = $1"};
constexpr Query add_named{"thing.add_named",
                          "INSERT INTO things (id, name, version) VALUES ($1, $2, 1)"};
constexpr Query add_counted{"thing.add_counted",
                            "INSERT INTO things (id, amount, version) VALUES ($1, $2, 1)"};
constexpr Query claim{"thing.claim", R"sql(
    INSERT INTO things (id, name, version) VALUES ($1, $2, 1) ON CONFLICT DO NOTHING RETURNING name
)sql"};
constexpr Query count_things{"thing.count", "SELECT count(*) FROM things"};
constexpr Query bump{"thing.bump",
                     "UPDATE things SET version = version + 1 WHERE id = $1 AND version = $2"};
constexpr Query list_names{"thing.names", "SELECT name FROM things ORDER BY name"};

Uuid id(std::uint64_t number) { return uuid_v7({1'700'000'000'000'000}, 0, number); }

class DatabaseContract : public ::testing::TestWithParam<std::string> {
protected:
    DatabaseContract() { migrate(*database_, "test", tables); }

    std::unique_ptr<Database> open_with(const Options& options) {
        return backends::open_database(fresh_.url(), options, metrics_);
    }
    void write(const Query& query, Params params) {
        const auto tx = database_->begin(Access::write);
        tx->add(query, std::move(params));
        tx->commit();
    }
    // Returns the rows of one statement in a transaction of its own.
    std::vector<Row> read(const Query& query, Params params = {}) {
        const auto tx = database_->begin(Access::read);
        const auto& statement = tx->add(query, std::move(params));
        tx->commit();
        return statement.rows();
    }
    std::int64_t count() { return read(count_things)[0].integer(0); }
    // Returns the failure of a statement in a transaction of its own.
    Failure failure_of(const Query& query, Params params) {
        const auto tx = database_->begin(Access::write);
        try {
            tx->add(query, std::move(params));
            tx->commit();
        } catch (const Failure& failure) {
            return failure;
        }
        ADD_FAILURE() << query.name << " was not refused";
        return {Fault::defect, "", ""};
    }

    // Returns the value of a metric. If there are several, `label` is a word among the labels of
    // the one to return.
    double metric(const std::string& name, const std::string& label = "") const {
        std::istringstream lines(metrics_.prometheus_text());
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with(name + "{") && line.find(label) != std::string::npos) {
                return std::stod(line.substr(line.rfind(' ')));
            }
        }
        ADD_FAILURE() << "no metric " << name;
        return -1;
    }

    testing::FreshDatabase fresh_{GetParam()};
    telemetry::Registry metrics_;
    std::unique_ptr<Database> database_ = open_with({});
};

INSTANTIATE_TEST_SUITE_P(Databases, DatabaseContract, ::testing::ValuesIn(testing::databases),
                         [](const auto& instance) { return instance.param; });

TEST_P(DatabaseContract, GivesBackEveryTypeAsItWasSaved) {
    struct Thing {
        std::string name;
        std::int64_t amount;
        bool done;
        Instant at;
        std::string json;
        std::string raw;
    };
    const std::vector<Thing> things = {
        {"plain", 0, false, {0}, R"({"a": 1})", "bytes"},
        {"", std::numeric_limits<std::int64_t>::max(), true,
         *Instant::parse("9999-12-31T23:59:59.999999Z"), "[]", ""},
        {"Zoë ☃ 𝄞 \xef\xbf\xbd \xf4\x8f\xbf\xbf", -4, true, *Instant::parse("0001-01-01T00:00:00Z"),
         "\"ü\"", std::string("\0\xff\\'\"", 5)},
        {"quote ' \" \\ $1 ? % ; -- \n\t\r\x7f",
         1,
         false,
         {-1},
         "null",
         std::string(100'000, '\0')},
        {std::string(100'000, 'x'), 2, true, *Instant::parse("2026-11-22T23:57:00.123456Z"), "1",
         "x"},
    };
    std::uint64_t number = 0;
    for (const auto& thing : things) {
        const auto key = id(++number);
        write(add_thing, {key, thing.name, thing.amount, thing.done, thing.at, Json{thing.json},
                          Bytes{thing.raw}, 7});
        const auto rows = read(load_thing, {key});
        ASSERT_EQ(rows.size(), 1U);
        const auto& row = rows[0];
        ASSERT_EQ(row.size(), 8U);
        EXPECT_EQ(row.uuid(0), key);
        EXPECT_EQ(row.text(1), thing.name);
        EXPECT_EQ(row.integer(2), thing.amount);
        EXPECT_EQ(row.boolean(3), thing.done);
        EXPECT_EQ(row.instant(4), thing.at);
        EXPECT_EQ(row.text(5), thing.json);
        EXPECT_EQ(row.bytes(6), thing.raw);
        EXPECT_EQ(row.integer(7), 7);
    }
}

TEST_P(DatabaseContract, GivesBackTheSmallestInteger) {
    const auto rows = read({"echo", "SELECT $1", "SELECT $1::bigint"},
                           {std::numeric_limits<std::int64_t>::min()});
    EXPECT_EQ(rows.at(0).integer(0), std::numeric_limits<std::int64_t>::min());
}

TEST_P(DatabaseContract, GivesBackNullForEveryType) {
    write(add_thing, {id(1), Null{}, Null{}, Null{}, std::optional<Instant>(), Null{}, Null{}, 1});
    const auto rows = read(load_thing, {id(1)});
    for (std::size_t column = 1; column < 7; ++column)
        EXPECT_TRUE(rows.at(0).is_null(column)) << column;
    EXPECT_EQ(rows[0].maybe_text(1), std::nullopt);
    EXPECT_EQ(rows[0].maybe_integer(2), std::nullopt);
    EXPECT_EQ(rows[0].maybe_instant(4), std::nullopt);
    EXPECT_EQ(rows[0].maybe_uuid(0), id(1));
    EXPECT_THROW(rows[0].text(1), std::logic_error);
    EXPECT_THROW(rows[0].integer(0), std::logic_error);
}

TEST_P(DatabaseContract, OrdersTextBytewiseAndInstantsByTime) {
    std::uint64_t number = 0;
    for (const auto* name : {"b", "a", "B", "é", "_"}) write(add_named, {id(++number), name});
    std::string order;
    for (const auto& row : read(list_names)) order += row.text(0);
    EXPECT_EQ(order, "B_abé");
    write({"age", "UPDATE things SET at = $1 WHERE name = $2"}, {Instant{2}, "a"});
    write({"age", "UPDATE things SET at = $1 WHERE name = $2"},
          {Instant{-62'000'000'000'000'000}, "b"});
    EXPECT_EQ(read({"oldest", "SELECT name FROM things WHERE at < $1"}, {Instant{2}}).at(0).text(0),
              "b");
}

TEST_P(DatabaseContract, AnswersEachStatementOfAFlush) {
    const auto tx = database_->begin(Access::write);
    auto& first = tx->add(claim, {id(1), "one"});
    auto& again = tx->add(claim, {id(1), "one"});
    auto& all = tx->add(list_names, {});
    auto& none = tx->add(bump, {id(9), 1});
    auto& one = tx->add(bump, {id(1), 1});
    tx->flush();
    ASSERT_EQ(first.rows().size(), 1U);
    EXPECT_EQ(first.rows()[0].text(0), "one");
    EXPECT_EQ(first.affected(), 1U);
    EXPECT_TRUE(again.rows().empty());
    EXPECT_EQ(again.affected(), 0U);
    EXPECT_EQ(all.rows().size(), 1U);
    EXPECT_EQ(none.affected(), 0U);
    EXPECT_EQ(one.affected(), 1U);
}

TEST_P(DatabaseContract, FlushesMoreThanOnceAndKeepsEarlierResults) {
    const auto tx = database_->begin(Access::write);
    tx->flush();
    auto& first = tx->add(claim, {id(1), "one"});
    tx->flush();
    auto& second = tx->add(claim, {id(2), "two"});
    EXPECT_THROW(second.rows(), std::logic_error);
    EXPECT_THROW(second.affected(), std::logic_error);
    tx->flush();
    EXPECT_EQ(first.rows().at(0).text(0), "one");
    EXPECT_EQ(second.rows().at(0).text(0), "two");
    tx->commit();
    EXPECT_EQ(count(), 2);
}

TEST_P(DatabaseContract, KeepsResultsAfterCommitWhileTheConnectionServesAnother) {
    const auto database = open_with({.connections_max = 1, .connection_wait = milliseconds(20)});
    const auto tx = database->begin(Access::write);
    auto& first = tx->add(claim, {id(1), "one"});
    tx->commit();
    const auto other = database->begin(Access::write);
    other->add(claim, {id(2), "two"});
    other->commit();
    EXPECT_EQ(first.rows().at(0).text(0), "one");
    EXPECT_THROW(tx->add(count_things, {}), std::logic_error);
    EXPECT_THROW(tx->commit(), std::logic_error);
}

TEST_P(DatabaseContract, AddsEachRowAndGathersWhatComesBack) {
    constexpr Query with_arrays{"thing.claim", claim.text, {}, R"sql(
        INSERT INTO things (id, name, version) SELECT id, name, 1 FROM unnest($1::uuid[], $2::text[]) AS t (id, name)
        ON CONFLICT DO NOTHING RETURNING name
    )sql"};
    std::uint64_t number = 0;
    for (const auto& query : {claim, with_arrays}) {
        const auto tx = database_->begin(Access::write);
        std::vector<Params> rows;
        for (const auto* name : {"a", "b", "a", "ä,{}\"\\ NULL"}) {
            rows.push_back({id(++number), fmt::format("{}{}", name, query.postgres_batch.size())});
        }
        rows.push_back({id(++number), Null{}});
        auto& added = tx->add_batch(query, std::move(rows));
        auto& nothing = tx->add_batch(query, {});
        tx->commit();
        EXPECT_EQ(added.affected(), 4U);
        EXPECT_EQ(added.rows().size(), 4U);
        EXPECT_EQ(nothing.affected(), 0U);
        EXPECT_TRUE(nothing.rows().empty());
    }
    EXPECT_EQ(count(), 8);
}

TEST_P(DatabaseContract, RollsBackWhatIsNotCommitted) {
    {
        const auto tx = database_->begin(Access::write);
        tx->add(claim, {id(1), "one"});
        tx->flush();
    }
    EXPECT_EQ(count(), 0);
    database_->begin(Access::write);
    write(claim, {id(1), "one"});
    EXPECT_EQ(count(), 1);
}

TEST_P(DatabaseContract, ReportsBadData) {
    write(add_named, {id(1), "one"});
    EXPECT_EQ(failure_of(add_counted, {id(2), -5}).sqlstate, "23514");
    EXPECT_EQ(failure_of(add_named, {id(2), "one"}).sqlstate, "23505");
    EXPECT_EQ(failure_of(add_named, {id(1), "two"}).sqlstate, "23505");
    EXPECT_EQ(failure_of(add_thing, {id(2), "x", 1, true, Null{}, Null{}, Null{}, Null{}}).sqlstate,
              "23502");
    for (const std::string& text :
         {std::string("a\0b", 3), std::string("\xff"), std::string("\xc0\xaf"),
          std::string("\xed\xa0\x80"), std::string("\xf4\x90\x80\x80"), std::string("\xe2\x98")}) {
        const auto failure = failure_of(add_named, {id(2), text});
        EXPECT_EQ(failure.sqlstate, "22021");
        EXPECT_EQ(failure.fault, Fault::bad_data);
    }
    EXPECT_EQ(failure_of(add_counted, {id(2), -5}).fault, Fault::bad_data);
    EXPECT_EQ(failure_of(add_named, {id(2), "one"}).fault, Fault::bad_data);
    EXPECT_EQ(count(), 1);
}

TEST_P(DatabaseContract, CallsADefectOfOursBroken) {
    EXPECT_EQ(failure_of({"bad", "SELEKT 1"}, {}).fault, Fault::defect);
    EXPECT_EQ(failure_of({"bad", "SELECT 1 FROM nowhere"}, {}).fault, Fault::defect);
    EXPECT_EQ(failure_of({"bad", "SELECT 1; SELECT 2"}, {}).fault, Fault::defect);
    const auto tx = database_->begin(Access::read);
    tx->add(add_named, {id(1), "one"});
    try {
        tx->flush();
        FAIL() << "a read-only transaction wrote";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.sqlstate, "25006");
    }
    EXPECT_EQ(count(), 0);
}

TEST_P(DatabaseContract, RefusesParametersThatDoNotFit) {
    for (const auto& [query, params] :
         std::vector<std::pair<Query, Params>>{{add_named, {id(1)}},
                                               {add_named, {id(1), "a", 1}},
                                               {{"gap", "SELECT $1, $3"}, {1, 2, 3}}}) {
        const auto tx = database_->begin(Access::write);
        const auto run = [&] {
            tx->add(query, params);
            tx->commit();
        };
        EXPECT_THROW(run(), std::logic_error) << query.name << params.size();
    }
    EXPECT_EQ(count(), 0);
}

TEST_P(DatabaseContract, KeepsNothingOfAFailedTransaction) {
    {
        const auto tx = database_->begin(Access::write);
        tx->add(claim, {id(1), "one"});
        tx->flush();
        tx->add(claim, {id(2), "two"});
        tx->add(add_counted, {id(3), -5});
        tx->add(claim, {id(4), "four"});
        EXPECT_THROW(tx->commit(), Failure);
        EXPECT_THROW(tx->commit(), std::logic_error);
        EXPECT_THROW(tx->flush(), std::logic_error);
        EXPECT_THROW(tx->add(count_things, {}), std::logic_error);
    }
    EXPECT_EQ(count(), 0);
    write(claim, {id(1), "one"});
    EXPECT_EQ(count(), 1);
}

TEST_P(DatabaseContract, EndsAStatementThatTakesTooLong) {
    const auto database = open_with({.statement_timeout = milliseconds(50)});
    const auto tx = database->begin(Access::read);
    tx->add({"endless",
             "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i % 10 + 1 FROM n) SELECT "
             "count(*) FROM n"},
            {});
    try {
        tx->flush();
        FAIL() << "an endless statement ended";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.fault, Fault::unavailable);
        EXPECT_EQ(failure.sqlstate, "57014");
    }
}

TEST_P(DatabaseContract, AnswersUnavailableWhenEveryConnectionIsTaken) {
    const auto database = open_with({.connections_max = 2, .connection_wait = milliseconds(30)});
    auto one = database->begin(Access::read);
    const auto two = database->begin(Access::read);
    one->flush();
    const auto start = steady_clock::now();
    try {
        database->begin(Access::read);
        FAIL() << "a third of two connections";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.fault, Fault::unavailable);
    }
    EXPECT_GE(steady_clock::now() - start, milliseconds(30));
    EXPECT_LT(steady_clock::now() - start, std::chrono::seconds(15));
    EXPECT_EQ(metric("trackops_sql_pool_exhausted_total"), 1);
    one.reset();
    EXPECT_NO_THROW(database->begin(Access::read));
}

TEST_P(DatabaseContract, GoesOnAfterTheServerClosedItsConnections) {
    EXPECT_EQ(count(), 0);
    const auto other = open_with({});
    const auto tx = other->begin(Access::read);
    tx->add({"close", "SELECT 1", R"sql(
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    )sql"},
            {});
    tx->commit();
    int refusals = 0;
    for (bool done = false; !done;) {
        try {
            write(claim, {id(1), "one"});
            done = true;
        } catch (const Failure& failure) {
            ASSERT_EQ(failure.fault, Fault::unavailable) << failure.what();
            ASSERT_LT(++refusals, 5);
        }
    }
    EXPECT_EQ(count(), 1);
    EXPECT_NO_THROW(database_->ping());
}

TEST_P(DatabaseContract, ShowsAReaderNothingUncommitted) {
    const auto writer = database_->begin(Access::write);
    writer->add(claim, {id(1), "one"});
    writer->flush();
    EXPECT_EQ(count(), 0);
    writer->commit();
    EXPECT_EQ(count(), 1);
}

TEST_P(DatabaseContract, TellsTheSecondWriterThatItLost) {
    write(claim, {id(1), "one"});
    const auto other = open_with({});
    const auto seen_by_both = read(load_thing, {id(1)}).at(0).integer(7);
    const auto save = [&](Database& database) {
        const auto tx = database.begin(Access::write);
        const auto& saved = tx->add(bump, {id(1), seen_by_both});
        tx->commit();
        return saved.affected();
    };
    EXPECT_EQ(save(*other), 1U);
    EXPECT_EQ(save(*database_), 0U);
    EXPECT_EQ(read(load_thing, {id(1)}).at(0).integer(7), seen_by_both + 1);
}

TEST_P(DatabaseContract, SaysWhereTheDataLivesWithoutSecrets) {
    EXPECT_EQ(database_->description().find('@'), std::string::npos);
    EXPECT_FALSE(database_->description().empty());
    EXPECT_EQ(database_->dialect(), GetParam() == "sqlite" ? Dialect::sqlite : Dialect::postgres);
}

TEST_P(DatabaseContract, CountsConnectionsFailuresAndFlushes) {
    EXPECT_EQ(metric("trackops_sql_connections_in_use"), 0);
    {
        const auto one = database_->begin(Access::read);
        EXPECT_EQ(metric("trackops_sql_connections_in_use"), 1);
        EXPECT_EQ(metric("trackops_sql_failures_total", "defect"), 0);
    }
    EXPECT_EQ(metric("trackops_sql_connections_in_use"), 0);
    failure_of({"bad", "SELEKT 1"}, {});
    EXPECT_EQ(metric("trackops_sql_failures_total", "defect"), 1);
    const auto flushes = metric("trackops_sql_flush_seconds_count");
    count();
    EXPECT_EQ(metric("trackops_sql_flush_seconds_count"), flushes + 1);
}

}  // namespace
}  // namespace trackops::sql
