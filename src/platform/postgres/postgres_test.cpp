// The promises of the PostgreSQL driver alone. database_contract_test.cpp tests the promises of
// both drivers.
#include <future>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/backends/open_database.hpp"
#include "platform/postgres/connection.hpp"
#include "platform/sql/database.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"

namespace trackops::sql {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Query make_things{
    "thing.make", "CREATE TABLE things (id bigint PRIMARY KEY, name text, amount int DEFAULT 0)"};
constexpr Query add_thing{"thing.add", "INSERT INTO things (id, name) VALUES ($1, $2)"};
constexpr Query add_things{
    "thing.add_all",
    "INSERT INTO things (id, name) VALUES ($1, $2) RETURNING name",
    {},
    "INSERT INTO things (id, name) SELECT * FROM unnest($1::bigint[], $2::text[]) RETURNING name"};
constexpr Query add_things_by_row{"thing.add_each",
                                  "INSERT INTO things (id, name) VALUES ($1, $2) RETURNING name"};
constexpr Query bump{"thing.bump", "UPDATE things SET amount = amount + 1 WHERE id = $1"};
constexpr Query count_things{"thing.count", "SELECT count(*) FROM things"};
constexpr Query backend{"backend", "SELECT pg_backend_pid()"};

class PostgresDriver : public ::testing::Test {
protected:
    PostgresDriver() { run(*database_, make_things); }

    std::unique_ptr<Database> open_with(const Options& options,
                                        const std::string& parameters = "") {
        return backends::open_database(fresh_.url() + parameters, options, metrics_);
    }
    static std::vector<Row> run(Database& database, const Query& query, Params params = {}) {
        const auto tx = database.begin(Access::write);
        const auto& statement = tx->add(query, std::move(params));
        tx->commit();
        return statement.rows();
    }
    static std::int64_t backend_of(Database& database) {
        return run(database, backend)[0].integer(0);
    }
    // Ends a session of another database handle and waits until it is gone.
    void terminate(std::int64_t pid) {
        EXPECT_TRUE(
            run(*database_, {"terminate", "SELECT pg_terminate_backend($1::int, 5000)"}, {pid})[0]
                .boolean(0));
    }
    static Failure failure_of(const std::function<void()>& work) {
        try {
            work();
        } catch (const Failure& failure) {
            return failure;
        }
        ADD_FAILURE() << "nothing failed";
        return {Fault::defect, "", ""};
    }

    testing::FreshDatabase fresh_{"postgres"};
    telemetry::Registry metrics_;
    std::unique_ptr<Database> database_ = open_with({});
};

TEST(PostgresFault, IsReadFromTheSqlstate) {
    const std::vector<std::pair<std::string, Fault>> table = {
        {"22001", Fault::bad_data},    {"23505", Fault::bad_data},    {"40001", Fault::retryable},
        {"40P01", Fault::retryable},   {"40002", Fault::defect},      {"08006", Fault::unavailable},
        {"08P01", Fault::defect},      {"53300", Fault::unavailable}, {"57014", Fault::unavailable},
        {"57P01", Fault::unavailable}, {"55P03", Fault::unavailable}, {"55000", Fault::defect},
        {"42601", Fault::defect},      {"XX000", Fault::defect},      {"", Fault::defect},
    };
    for (const auto& [sqlstate, fault] : table)
        EXPECT_EQ(postgres::fault_of(sqlstate), fault) << sqlstate;
}

TEST_F(PostgresDriver, CarriesOnAfterTheServerEndedAnIdleConnection) {
    const auto other = open_with({});
    const auto pid = backend_of(*other);
    EXPECT_EQ(backend_of(*other), pid);
    terminate(pid);
    EXPECT_NE(backend_of(*other), pid);
    EXPECT_THAT(metrics_.prometheus_text(), HasSubstr("trackops_sql_reconnects_total{"));
}

TEST_F(PostgresDriver, MovesATransactionThatHasSentNothingToAFreshConnection) {
    const auto other = open_with({});
    const auto pid = backend_of(*other);
    const auto tx = other->begin(Access::write);
    terminate(pid);
    tx->add(add_thing, {1, "one"});
    tx->commit();
    EXPECT_EQ(run(*database_, count_things)[0].integer(0), 1);
}

TEST_F(PostgresDriver, CallsATransactionThatTheServerEndedUnavailable) {
    const auto other = open_with({});
    const auto tx = other->begin(Access::write);
    const auto& session = tx->add(backend, {});
    tx->add(add_thing, {1, "one"});
    tx->flush();
    terminate(session.rows()[0].integer(0));
    tx->add(add_thing, {2, "two"});
    EXPECT_EQ(failure_of([&] { tx->commit(); }).fault, Fault::unavailable);
    EXPECT_THROW(tx->flush(), std::logic_error);
    EXPECT_EQ(run(*database_, count_things)[0].integer(0), 0);
}

TEST_F(PostgresDriver, EndsAStatementThatTakesTooLong) {
    Options options;
    options.statement_timeout = milliseconds(500);
    const auto other = open_with(options);
    const auto failure = failure_of([&] { run(*other, {"sleep", "SELECT pg_sleep(20)"}); });
    EXPECT_EQ(failure.fault, Fault::unavailable);
    EXPECT_EQ(failure.sqlstate, "57014");
    EXPECT_THAT(failure.what(), HasSubstr("query sleep"));
    EXPECT_NO_THROW(other->ping());
}

// A deadline that began anew with each answer would let this run for 20 s.
TEST_F(PostgresDriver, EndsATransactionAtItsDeadlineHoweverOftenTheServerSaysSomething) {
    Options options;
    options.transaction_timeout = milliseconds(300);
    const auto other = open_with(options);
    const auto began = std::chrono::steady_clock::now();
    const auto tx = other->begin(Access::write);
    tx->add({"drip", "SELECT pg_sleep(0.02), repeat('x', 9000) FROM generate_series(1, 1000)"}, {});
    const auto failure = failure_of([&] { tx->flush(); });
    EXPECT_EQ(failure.fault, Fault::unavailable);
    EXPECT_THAT(failure.what(), HasSubstr("no answer in time"));
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
}

TEST_F(PostgresDriver, CountsTheSegmentsOfATransactionTogether) {
    Options options;
    options.transaction_timeout = milliseconds(500);
    const auto other = open_with(options);
    int segments = 0;
    const auto failure = failure_of([&] {
        const auto tx = other->begin(Access::write);
        for (; segments < 100; ++segments) {
            tx->add({"sleep", "SELECT pg_sleep(0.1)"}, {});
            tx->flush();
        }
    });
    EXPECT_EQ(failure.fault, Fault::unavailable);
    EXPECT_LT(segments, 6);
}

TEST_F(PostgresDriver, CountsTheWaitForAConnection) {
    Options options;
    options.connections_max = 1;
    options.connection_wait = std::chrono::minutes(10);
    options.transaction_timeout = milliseconds(200);
    const auto other = open_with(options);
    const auto held = other->begin(Access::write);
    EXPECT_EQ(failure_of([&] { other->begin(Access::read); }).fault, Fault::unavailable);
}

TEST_F(PostgresDriver, GivesATransactionMoreTimeOnDemand) {
    Options options;
    options.transaction_timeout = milliseconds(500);
    const auto other = open_with(options);
    const auto tx = other->begin(Access::read);
    tx->extend(std::chrono::minutes(1));
    tx->add({"sleep", "SELECT pg_sleep(1)"}, {});
    EXPECT_NO_THROW(tx->commit());
    // The next one on this connection has the usual time again.
    const auto next = other->begin(Access::read);
    next->add({"sleep", "SELECT pg_sleep(20)"}, {});
    EXPECT_EQ(failure_of([&] { next->commit(); }).fault, Fault::unavailable);
}

TEST_F(PostgresDriver, WaitsLongerWhereATransactionSetsItsOwnTimeout) {
    Options options;
    options.statement_timeout = milliseconds(500);
    options.transaction_timeout = milliseconds(1000);
    const auto other = open_with(options);
    const auto tx = other->begin(Access::write);
    tx->add({"time", "SET LOCAL statement_timeout = 0"}, {});
    tx->flush();
    tx->add({"sleep", "SELECT pg_sleep(1.5)"}, {});
    EXPECT_NO_THROW(tx->commit());
}

TEST_F(PostgresDriver, EndsAWaitForALockThatTakesTooLong) {
    run(*database_, add_thing, {1, "one"});
    const auto holder = database_->begin(Access::write);
    holder->add(bump, {1});
    holder->flush();
    Options options;
    options.lock_timeout = milliseconds(50);
    const auto other = open_with(options);
    const auto failure = failure_of([&] { run(*other, bump, {1}); });
    EXPECT_EQ(failure.fault, Fault::unavailable);
    EXPECT_EQ(failure.sqlstate, "55P03");
}

// The server's own timeouts limit each session, so that a process that stops cannot block the
// others.
TEST_F(PostgresDriver, HasTheServerWatchOverEachSession) {
    const auto shown = [&](const std::string& name) {
        return run(*database_, {"show", "SELECT current_setting('" + name + "')"})[0].text(0);
    };
    EXPECT_EQ(shown("idle_in_transaction_session_timeout"), "3s");
    EXPECT_EQ(shown("lock_timeout"), "3s");
    EXPECT_EQ(shown("statement_timeout"), "7s");
    EXPECT_EQ(shown("TimeZone"), "UTC");
}

TEST_F(PostgresDriver, EndsATransactionThatIdlesTooLong) {
    Options options;
    options.idle_in_transaction_timeout = milliseconds(300);
    const auto other = open_with(options);
    const auto tx = other->begin(Access::write);
    const auto& session = tx->add(backend, {});
    tx->add(add_thing, {1, "one"});
    tx->flush();
    while (!run(*database_, {"find", "SELECT 1 FROM pg_stat_activity WHERE pid = $1"},
                {session.rows()[0].integer(0)})
                .empty()) {
        std::this_thread::yield();
    }
    EXPECT_EQ(failure_of([&] { tx->commit(); }).fault, Fault::unavailable);
    EXPECT_EQ(run(*database_, count_things)[0].integer(0), 0);
}

TEST_F(PostgresDriver, AsksExactlyOneOfTwoThatDeadlockToRepeat) {
    const auto other = open_with({}, "?options=-c%20deadlock_timeout%3D20ms");
    run(*other, add_thing, {1, "one"});
    run(*other, add_thing, {2, "two"});
    const auto first = other->begin(Access::write);
    first->add(bump, {1});
    first->flush();
    const auto second = other->begin(Access::write);
    second->add(bump, {2});
    second->flush();
    const auto cross = [](Transaction& tx, std::int64_t id) -> std::optional<Fault> {
        try {
            tx.add(bump, {id});
            tx.commit();
            return std::nullopt;
        } catch (const Failure& failure) {
            return failure.fault;
        }
    };
    auto one = std::async(std::launch::async, [&] { return cross(*first, 2); });
    auto two = std::async(std::launch::async, [&] { return cross(*second, 1); });
    const auto a = one.get();
    const auto b = two.get();
    EXPECT_TRUE((a == Fault::retryable && !b) || (b == Fault::retryable && !a));
}

TEST_F(PostgresDriver, AddsTenThousandRowsAsArraysAndRowByRow) {
    for (const auto& [query, first] :
         {std::pair{add_things, 0}, std::pair{add_things_by_row, 10'000}}) {
        std::vector<Params> rows;
        for (int i = 0; i < 10'000; ++i)
            rows.push_back({first + i, i % 7 == 0 ? Value() : Value(fmt::format("thing {}", i))});
        const auto tx = database_->begin(Access::write);
        const auto& added = tx->add_batch(query, std::move(rows));
        tx->commit();
        EXPECT_EQ(added.affected(), 10'000U) << query.name;
        ASSERT_EQ(added.rows().size(), 10'000U) << query.name;
        EXPECT_TRUE(added.rows()[0].is_null(0));
        EXPECT_EQ(added.rows()[9'999].text(0), "thing 9999");
    }
    EXPECT_EQ(run(*database_, count_things)[0].integer(0), 20'000);
}

TEST_F(PostgresDriver, SendsASingleRowByTextWhereTheQuerySaysSo) {
    const auto sent = [&](bool single_row_uses_text, std::size_t rows) {
        const Query which{"which",
                          "SELECT 'text' WHERE $1 > 0",
                          {},
                          "SELECT 'arrays' WHERE 1 = ANY($1::bigint[])",
                          single_row_uses_text};
        const auto tx = database_->begin(Access::read);
        const auto& answer = tx->add_batch(which, std::vector<Params>(rows, Params{1}));
        tx->commit();
        return answer.rows().at(0).text(0);
    };
    EXPECT_EQ(sent(true, 1), "text");
    EXPECT_EQ(sent(true, 2), "arrays");
    EXPECT_EQ(sent(false, 1), "arrays");
}

TEST_F(PostgresDriver, SendsFiftyMegabytesAsOneStatement) {
    // Long timeouts, because the machine may be busy.
    Options options;
    options.statement_timeout = options.transaction_timeout = options.idle_in_transaction_timeout =
        std::chrono::minutes(1);
    const auto other = open_with(options);
    std::vector<Params> rows;
    for (int i = 0; i < 500; ++i)
        rows.push_back({i, std::string(100'000, static_cast<char>('a' + i % 26))});
    const auto tx = other->begin(Access::write);
    const auto& added = tx->add_batch(add_things, std::move(rows));
    tx->flush();
    ASSERT_EQ(added.rows().size(), 500U);
    EXPECT_EQ(added.rows()[499].text(0), std::string(100'000, static_cast<char>('a' + 499 % 26)));
}

// Both the statements and the results exceed the buffers between client and server. A client that
// only writes would hang.
TEST_F(PostgresDriver, ReadsResultsWhileItSends) {
    const Query echo{"echo", "SELECT repeat($1, 5)"};
    // On a busy machine the client may let the server wait for longer than a service may.
    Options options;
    options.statement_timeout = options.idle_in_transaction_timeout = std::chrono::minutes(5);
    const auto patient = open_with(options);
    const auto tx = patient->begin(Access::read);
    const auto& echoed =
        tx->add_batch(echo, std::vector<Params>(10'000, Params{std::string(1'000, 'x')}));
    tx->commit();
    EXPECT_EQ(echoed.rows().size(), 10'000U);
}

TEST_F(PostgresDriver, StopsSendingABatchAtItsFirstFault) {
    const auto pid = backend_of(*database_);
    std::vector<Params> rows(2'000, Params{1, std::string(10'000, 'x')});
    const auto failure = failure_of([&] {
        const auto tx = database_->begin(Access::write);
        tx->add_batch(add_things_by_row, std::move(rows));
        tx->commit();
    });
    EXPECT_EQ(failure.fault, Fault::bad_data);
    EXPECT_EQ(failure.sqlstate, "23505");
    EXPECT_EQ(backend_of(*database_), pid);
    EXPECT_EQ(run(*database_, count_things)[0].integer(0), 0);
}

TEST_F(PostgresDriver, AnswersUnavailableWhenAllConnectionsAreBusy) {
    Options options;
    options.connections_max = 1;
    options.connection_wait = milliseconds(20);
    const auto other = open_with(options);
    auto held = other->begin(Access::write);
    EXPECT_EQ(failure_of([&] { other->begin(Access::read); }).fault, Fault::unavailable);
    EXPECT_THAT(metrics_.prometheus_text(), HasSubstr("trackops_sql_pool_exhausted_total{"));
    held.reset();
    EXPECT_NO_THROW(other->ping());
}

TEST_F(PostgresDriver, HandsAFreedConnectionToWhoWaits) {
    Options options;
    options.connections_max = 1;
    options.connection_wait = std::chrono::seconds(20);
    const auto other = open_with(options);
    auto held = other->begin(Access::write);
    std::promise<void> asking;
    auto waiting = std::async(std::launch::async, [&] {
        asking.set_value();
        return backend_of(*other);
    });
    asking.get_future().wait();
    held.reset();
    EXPECT_GT(waiting.get(), 0);
}

TEST_F(PostgresDriver, PreparesAStatementThatNamesATableOfTheSameFlush) {
    const auto tx = database_->begin(Access::write);
    tx->add(add_thing, {1, "one"});  // this statement must be prepared, too
    tx->add({"make", "CREATE TABLE fresh (id bigint)"}, {});
    tx->add({"fill", "INSERT INTO fresh VALUES ($1)"}, {7});
    const auto& loaded = tx->add({"load", "SELECT id FROM fresh WHERE id = $1"}, {7});
    tx->commit();
    EXPECT_EQ(loaded.rows().at(0).integer(0), 7);
}

TEST_F(PostgresDriver, KeepsItsConnectionAfterAFaultOfAStatement) {
    const auto pid = backend_of(*database_);
    EXPECT_EQ(failure_of([&] { run(*database_, {"bad", "SELEKT"}); }).fault, Fault::defect);
    EXPECT_EQ(failure_of([&] { run(*database_, {"bad", "SELEKT $1"}, {1}); }).fault, Fault::defect);
    run(*database_, add_thing, {1, "one"});
    EXPECT_EQ(failure_of([&] { run(*database_, add_thing, {1, "one"}); }).sqlstate, "23505");
    EXPECT_EQ(backend_of(*database_), pid);
}

TEST_F(PostgresDriver, GetsOverAPlanThatNoLongerFitsTheSchema) {
    const auto other = open_with({});
    const Query load{"thing.load", "SELECT * FROM things WHERE id = $1"};
    run(*other, load, {1});
    run(*database_, {"alter", "ALTER TABLE things ADD COLUMN extra text"});
    EXPECT_EQ(failure_of([&] { run(*other, load, {1}); }).sqlstate, "0A000");
    EXPECT_NO_THROW(run(*other, load, {1}));
}

TEST_F(PostgresDriver, ReplacesAConnectionThatHasPreparedTooMuch) {
    const auto pid = backend_of(*database_);
    const auto tx = database_->begin(Access::write);
    std::vector<std::string> texts;
    for (int i = 0; i < 600; ++i)
        tx->add({"many", texts.emplace_back(fmt::format("SELECT {}, $1::int", i))}, {i});
    tx->commit();
    EXPECT_NE(backend_of(*database_), pid);
}

TEST_F(PostgresDriver, FindsADeferredConstraintAtCommit) {
    run(*database_,
        {"alter", "ALTER TABLE things ADD UNIQUE (name) DEFERRABLE INITIALLY DEFERRED"});
    const auto tx = database_->begin(Access::write);
    tx->add_batch(add_thing, {{1, "same"}, {2, "same"}});
    const auto failure = failure_of([&] { tx->commit(); });
    EXPECT_EQ(failure.fault, Fault::bad_data);
    EXPECT_EQ(failure.sqlstate, "23505");
}

TEST_F(PostgresDriver, ShowsAReaderOneSnapshot) {
    const auto tx = database_->begin(Access::read);
    const auto& before = tx->add(count_things, {});
    tx->flush();
    run(*database_, add_thing, {1, "one"});
    const auto& after = tx->add(count_things, {});
    tx->commit();
    EXPECT_EQ(before.rows()[0].integer(0), after.rows()[0].integer(0));
}

TEST_F(PostgresDriver, ReplacesAConnectionThatABatchHasBloated) {
    const auto pid = backend_of(*database_);
    run(*database_, add_thing, {1, std::string(5 << 20, 'x')});
    EXPECT_NE(backend_of(*database_), pid);
}

TEST_F(PostgresDriver, AsksForACastWhereAColumnHasNoValue) {
    const auto pid = backend_of(*database_);
    EXPECT_THROW(run(*database_, {"sum", "SELECT 1.5"}), std::logic_error);
    EXPECT_THROW(run(*database_, {"real", "SELECT $1::float8"}, {1}), std::logic_error);
    EXPECT_EQ(backend_of(*database_), pid);
}

TEST_F(PostgresDriver, StartsSessionsAsTheyShouldBe) {
    const auto rows = run(*database_, {"settings", R"sql(
        SELECT current_setting('TimeZone'), current_setting('statement_timeout'), current_setting('lock_timeout'),
               current_setting('idle_in_transaction_session_timeout'), current_setting('transaction_isolation')
    )sql"});
    EXPECT_EQ(rows[0].text(0), "UTC");
    EXPECT_EQ(rows[0].text(1), "7s");
    EXPECT_EQ(rows[0].text(2), "3s");
    EXPECT_EQ(rows[0].text(3), "3s");
    EXPECT_EQ(rows[0].text(4), "read committed");
}

}  // namespace
}  // namespace trackops::sql
