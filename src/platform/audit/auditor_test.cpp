// Tests the auditor as a pump, over a table of two columns.
#include "platform/audit/auditor.hpp"

#include <gmock/gmock.h>

#include "platform/audit/check_all.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"
#include "testing/fakes.hpp"

namespace trackops::audit {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Scan numbers{
    "numbers",
    KeyKind::integer,
    {"test.numbers",
     "SELECT number FROM numbers WHERE number > $1 AND number < 100 ORDER BY number LIMIT $2"},
    3};

constexpr Invariant small{.name = "numbers_are_small",
                          .description = "nobody counts beyond ten",
                          .scan = &numbers,
                          .violations_query = R"sql(
    SELECT CAST(number AS TEXT), 'double is ' || double FROM numbers
    WHERE number > $1 AND number <= $2 AND double > 20
)sql"};

constexpr Invariant fresh{.name = "numbers_are_fresh",
                          .description = "every number is seen to within an hour",
                          .scan = &numbers,
                          .violations_query = R"sql(
    SELECT CAST(number AS TEXT), 'due at ' || CAST(due AS TEXT) FROM numbers
    WHERE number > $1 AND number <= $2 AND due < $3
)sql",
                          .overdue = hours(1)};

// A database that can be switched to unavailable.
class Away final : public sql::Database {
public:
    explicit Away(sql::Database& real) : real_(real) {}
    bool is_away = false;
    int transactions = 0;
    std::unique_ptr<sql::Transaction> begin(sql::Access access) override {
        if (is_away) throw sql::Failure(sql::Fault::unavailable, "08006", "away");
        ++transactions;
        return real_.begin(access);
    }
    sql::Dialect dialect() const override { return real_.dialect(); }
    void ping() override { real_.ping(); }
    std::string description() const override { return real_.description(); }

private:
    sql::Database& real_;
};

class AuditorTest : public ::testing::Test {
protected:
    AuditorTest() {
        run("CREATE TABLE numbers (number INTEGER PRIMARY KEY, double INTEGER, due TEXT)");
        for (int i = 1; i <= 7; ++i) put(i, 2 * i);
    }
    void run(const std::string& text) {
        const auto tx = real_->begin(sql::Access::write);
        tx->add({"test.run", text}, {});
        tx->commit();
    }
    void put(int number, int twice) {
        const auto tx = real_->begin(sql::Access::write);
        tx->add({"test.put", "REPLACE INTO numbers VALUES ($1, $2, $3)"},
                {number, twice, clock_.now() + hours(24)});
        tx->commit();
    }
    double violations(const std::string& name = "numbers_are_small") {
        return metrics_.counter("trackops_invariant_violations_total", "", {{"invariant", name}})
            .value();
    }
    double passes() { return metrics_.counter("trackops_audit_passes_total", "").value(); }
    double last_pass() {
        return metrics_.gauge("trackops_audit_last_pass_timestamp_seconds", "").value();
    }

    telemetry::Registry metrics_;
    testing::FakeClock clock_;
    testing::FreshDatabase at_hand_{"sqlite"};
    std::unique_ptr<sql::Database> real_ = backends::open_database(at_hand_.url(), {}, metrics_);
    Away database_{*real_};
    Auditor auditor_{database_, clock_, {small, fresh}, {}, metrics_};
};

TEST_F(AuditorTest, ReadsAPageACallInATransactionAndRestsAfterTheLast) {
    EXPECT_EQ(violations(), 0);  // the series exists from the start, so that it can be monitored
    for (const std::size_t rows : {3U, 3U}) {
        const auto progress = auditor_.run({});
        EXPECT_EQ(progress.done, rows);
        EXPECT_EQ(progress.call_again_in, milliseconds(100));
        EXPECT_EQ(passes(), 0);
    }
    EXPECT_EQ(auditor_.run({}).call_again_in, seconds(10));
    EXPECT_EQ(database_.transactions, 3);
    EXPECT_EQ(passes(), 1);
    EXPECT_EQ(last_pass(), 1'700'000'000);
    EXPECT_EQ(auditor_.run({}).done, 3U);  // the pass starts again
}

TEST_F(AuditorTest, RestsALargeMultipleOfWhatAPageTook) {
    class Slow final : public Clock {
    public:
        Instant now() const override { return {micros_ += 5'000}; }
        mutable std::int64_t micros_ = 0;
    } slow;
    telemetry::Registry metrics;
    Auditor auditor(database_, slow, {small}, {}, metrics);
    EXPECT_EQ(auditor.run({}).call_again_in, milliseconds(5 * 51));
}

TEST_F(AuditorTest, CountsAViolationThatARecheckConfirms) {
    put(5, 99);
    auditor_.run({});
    EXPECT_EQ(auditor_.run({}).call_again_in, seconds(2));
    EXPECT_EQ(violations(), 0);
    clock_.advance(seconds(1));
    EXPECT_EQ(auditor_.run({}).call_again_in, seconds(1));  // called too early
    EXPECT_EQ(violations(), 0);
    clock_.advance(seconds(1));
    EXPECT_EQ(auditor_.run({}).done, 3U);
    EXPECT_EQ(violations(), 1);
    EXPECT_EQ(auditor_.run({}).done, 1U);
    EXPECT_EQ(passes(), 1);
}

TEST_F(AuditorTest, ForgetsASuspectedViolationThatChanged) {
    put(5, 99);
    auditor_.run({});
    auditor_.run({});
    put(5, 98);  // still a violation, but a different one
    clock_.advance(seconds(2));
    auditor_.run({});
    EXPECT_EQ(violations(), 0);
}

TEST_F(AuditorTest, CountsOfAPageOnlyWhatTheSecondLookFindsToo) {
    put(1, 99);
    put(2, 99);
    put(3, 99);
    auditor_.run({});
    put(1, 2);
    put(2, 98);
    clock_.advance(seconds(2));
    EXPECT_EQ(auditor_.run({}).done, 3U);
    EXPECT_EQ(violations(), 1);
    put(4, 99);  // while no suspected violation awaits a recheck
    auditor_.run({});
    EXPECT_EQ(violations(), 1);
    clock_.advance(seconds(2));
    auditor_.run({});
    EXPECT_EQ(violations(), 2);
    EXPECT_EQ(metrics_.counter("trackops_audit_suspicions_total", "").value(), 4);
}

TEST_F(AuditorTest, CountsInEachPassWhatStaysBroken) {
    put(7, 99);
    while (passes() < 3) {
        auditor_.run({});
        clock_.advance(seconds(2));
    }
    EXPECT_EQ(violations(), 3);
}

TEST_F(AuditorTest, ChecksKeysBehindTheLastRowOfTheScan) {
    run("DELETE FROM numbers WHERE number > 2");
    put(1000, 2000);
    auditor_.run({});
    clock_.advance(seconds(2));
    auditor_.run({});
    EXPECT_EQ(violations(), 1);
}

TEST_F(AuditorTest, CallsNothingOverdueThatTheDatabaseOutageDelayed) {
    const auto a_pass = [&] {
        const double before = passes();
        while (passes() == before) {
            if (auditor_.run({}).done == 0) clock_.advance(seconds(2));
        }
    };
    clock_.advance(hours(48));  // due one day ago
    a_pass();
    database_.is_away = true;
    EXPECT_THROW(auditor_.run({}), sql::Failure);
    clock_.advance(hours(1));
    database_.is_away = false;
    a_pass();
    EXPECT_EQ(violations("numbers_are_fresh"), 0);
    clock_.advance(hours(1));
    a_pass();
    EXPECT_EQ(violations("numbers_are_fresh"), 7);
}

TEST_F(AuditorTest, ReadsAPageAnewThatFailed) {
    auditor_.run({});
    database_.is_away = true;
    EXPECT_THROW(auditor_.run({}), sql::Failure);
    database_.is_away = false;
    put(5, 99);
    EXPECT_EQ(auditor_.run({}).call_again_in, seconds(2));
    database_.is_away = true;
    clock_.advance(seconds(2));
    EXPECT_THROW(auditor_.run({}), sql::Failure);
    database_.is_away = false;
    auditor_.run({});
    EXPECT_EQ(violations(), 1);
}

// With scans disabled, as our sessions have them, `trackops verify` compared each of 70,000 changes
// with each of 200,000 events.
TEST(WholeTables, AreJoinedOnPostgresInsteadOfLookedUpRowByRow) {
    const testing::FreshDatabase at_hand("postgres");
    telemetry::Registry metrics;
    const auto database = backends::open_database(at_hand.url(), {}, metrics);
    const Invariants one{{.name = "scans_and_joins",
                          .description = "says how it is planned",
                          .scan = nullptr,
                          .violations_query = R"sql(
    SELECT current_setting('enable_seqscan'),
           current_setting('enable_hashjoin') || ' ' || current_setting('enable_mergejoin')
)sql"}};
    const auto findings = check_all(*database, one, {});
    ASSERT_EQ(findings.at(0).examples.size(), 1);
    EXPECT_EQ(findings[0].examples[0].subject, "on");
    EXPECT_EQ(findings[0].examples[0].evidence, "on on");
}

TEST_F(AuditorTest, DoesNotWaitForAClockThatSteppedBack) {
    put(2, 99);
    auditor_.run({});
    clock_.advance(-hours(5));
    EXPECT_EQ(auditor_.run({}).call_again_in, seconds(2));
    clock_.advance(seconds(2));
    EXPECT_EQ(auditor_.run({}).done, 3U);
    EXPECT_EQ(violations(), 1);
}

}  // namespace
}  // namespace trackops::audit
