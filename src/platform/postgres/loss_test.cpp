// The failures that the driver reports when the connection is lost at a chosen moment. A proxy
// between the driver and the server reads along.
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/backends/open_database.hpp"
#include "platform/postgres/proxy_for_tests.hpp"
#include "platform/sql/database.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/databases.hpp"

namespace trackops::sql {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Query add_thing{"thing.add", "INSERT INTO things (id) VALUES ($1)"};
constexpr Query count_things{"thing.count", "SELECT count(*) FROM things"};

class PostgresLoss : public ::testing::Test {
protected:
    PostgresLoss() {
        const auto tx = direct_->begin(Access::write);
        tx->add({"thing.make", "CREATE TABLE things (id bigint PRIMARY KEY)"}, {});
        tx->commit();
        database_->ping();  // opens a connection
    }

    std::string url_through(std::uint16_t port) const {
        return sql::url_through(fresh_.url(), port);
    }
    std::int64_t count() {
        const auto tx = direct_->begin(Access::read);
        const auto& counted = tx->add(count_things, {});
        tx->commit();
        return counted.rows()[0].integer(0);
    }
    static std::optional<Fault> fault_of_commit(Transaction& tx) {
        try {
            tx.commit();
            return std::nullopt;
        } catch (const Failure& failure) {
            return failure.fault;
        }
    }

    testing::FreshDatabase fresh_{"postgres"};
    telemetry::Registry metrics_;
    std::unique_ptr<Database> direct_ = backends::open_database(fresh_.url(), {}, metrics_);
    Proxy proxy_{server_address(fresh_.url())};
    std::unique_ptr<Database> database_ =
        backends::open_database(url_through(proxy_.port()), {}, metrics_);
};

TEST_F(PostgresLoss, OfTheAnswerToCommitLeavesTheOutcomeUnknown) {
    proxy_.set(Rule::lose_answer);
    const auto tx = database_->begin(Access::write);
    tx->add(add_thing, {1});
    EXPECT_EQ(fault_of_commit(*tx), Fault::outcome_unknown);
    EXPECT_EQ(count(), 1);
}

TEST_F(PostgresLoss, RightAfterTheAnswerToCommitIsNoFault) {
    proxy_.set(Rule::end_session);
    {
        const auto tx = database_->begin(Access::write);
        tx->add(add_thing, {1});
        EXPECT_EQ(fault_of_commit(*tx), std::nullopt);
    }
    proxy_.set(Rule::pass);
    EXPECT_EQ(count(), 1);
    database_->ping();
}

TEST_F(PostgresLoss, OfTheAnswerToTheCommitOfAReaderIsUnavailable) {
    proxy_.set(Rule::lose_answer);
    const auto tx = database_->begin(Access::read);
    tx->add(count_things, {});
    EXPECT_EQ(fault_of_commit(*tx), Fault::unavailable);
}

TEST_F(PostgresLoss, OfACommitOnItsWayLeavesTheOutcomeUnknown) {
    proxy_.set(Rule::lose_commit);
    const auto tx = database_->begin(Access::write);
    tx->add(add_thing, {1});
    tx->flush();
    EXPECT_EQ(fault_of_commit(*tx), Fault::outcome_unknown);
    EXPECT_EQ(count(), 0);
}

TEST_F(PostgresLoss, BeforeCommitWasSentIsUnavailableAndKeepsNothing) {
    const auto tx = database_->begin(Access::write);
    tx->add(add_thing, {1});
    tx->flush();
    proxy_.cut();
    tx->add(add_thing, {2});
    EXPECT_EQ(fault_of_commit(*tx), Fault::unavailable);
    EXPECT_EQ(count(), 0);
}

TEST_F(PostgresLoss, AnnouncedBeforeCommitWasSentIsUnavailable) {
    const auto tx = database_->begin(Access::write);
    tx->add(add_thing, {1});
    tx->flush();
    proxy_.say_goodbye();
    EXPECT_EQ(fault_of_commit(*tx), Fault::unavailable);
}

TEST_F(PostgresLoss, InALaterFlushIsUnavailable) {
    const auto tx = database_->begin(Access::write);
    tx->add(add_thing, {1});
    tx->flush();
    proxy_.set(Rule::cut_next);
    tx->add(add_thing, {2});
    try {
        tx->flush();
        FAIL() << "the flush went through";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.fault, Fault::unavailable);
    }
    EXPECT_EQ(count(), 0);
}

TEST_F(PostgresLoss, WhileIdleIsNoticedBeforeUse) {
    proxy_.cut();
    const auto tx = database_->begin(Access::write);
    tx->add(add_thing, {1});
    EXPECT_EQ(fault_of_commit(*tx), std::nullopt);
    EXPECT_EQ(count(), 1);
}

TEST_F(PostgresLoss, OfEveryIdleConnectionIsNoticedBeforeUse) {
    std::vector<std::unique_ptr<Transaction>> held;
    for (int i = 0; i < 3; ++i) {
        held.push_back(database_->begin(Access::write));
        held.back()->add(count_things, {});
        held.back()->flush();
    }
    held.clear();
    proxy_.cut();
    const auto tx = database_->begin(Access::write);
    tx->add(add_thing, {1});
    EXPECT_EQ(fault_of_commit(*tx), std::nullopt);
}

TEST_F(PostgresLoss, AfterBeginMovesTheTransaction) {
    const auto tx = database_->begin(Access::write);
    proxy_.cut();
    tx->add(add_thing, {1});
    EXPECT_EQ(fault_of_commit(*tx), std::nullopt);
    EXPECT_EQ(count(), 1);
}

TEST_F(PostgresLoss, InTheFirstFlushMovesTheTransaction) {
    const auto tx = database_->begin(Access::write);
    proxy_.set(Rule::cut_next);
    tx->add(add_thing, {1});
    tx->flush();
    EXPECT_EQ(fault_of_commit(*tx), std::nullopt);
    EXPECT_EQ(count(), 1);
}

TEST_F(PostgresLoss, InAFirstFlushThatHeldACommitDoesNot) {
    const auto tx = database_->begin(Access::write);
    proxy_.set(Rule::cut_next);
    tx->add(count_things, {});  // no parameters, so no round trip comes before it
    EXPECT_EQ(fault_of_commit(*tx), Fault::outcome_unknown);
}

TEST_F(PostgresLoss, OfEveryAnswerIsNoticedInTime) {
    Options impatient;
    impatient.transaction_timeout = milliseconds(500);
    const auto database = backends::open_database(url_through(proxy_.port()), impatient, metrics_);
    const auto tx = database->begin(Access::write);
    tx->add(add_thing, {1});
    tx->flush();
    proxy_.set(Rule::keep_silent);
    EXPECT_EQ(fault_of_commit(*tx), Fault::outcome_unknown);
}

TEST_F(PostgresLoss, ACommitAnsweredByRollbackIsAFailure) {
    proxy_.set(Rule::deny_commit);
    const auto tx = database_->begin(Access::write);
    tx->add(add_thing, {1});
    EXPECT_EQ(fault_of_commit(*tx), Fault::defect);
}

using PostgresTraffic = PostgresLoss;

TEST_F(PostgresTraffic, IsOneRoundTripATransaction) {
    for (const std::int64_t id : {1, 2}) {
        const int before = proxy_.turns();
        const auto tx = database_->begin(Access::write);
        tx->add(add_thing, {id});
        tx->add(count_things, {});
        tx->commit();
        EXPECT_EQ(proxy_.turns() - before, id == 1 ? 2 : 1)
            << "first BEGIN and Parse, then the rest";
    }
}

TEST_F(PostgresLoss, OfTheServerItselfIsToldAtOnceUntilTheBackoffEnds) {
    auto closed = bound_socket();
    const auto port = closed->port();
    auto url = url_through(port);
    url.insert(url.find('@'), ":sesame");
    const auto away = backends::open_database(url, {}, metrics_);
    const auto answer = [&away]() -> std::string {
        try {
            away->ping();
            return "";
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.fault, Fault::unavailable);
            return failure.what();
        }
    };
    EXPECT_THAT(answer(), AllOf(HasSubstr("refused"), Not(HasSubstr("sesame"))));
    std::string next = answer();  // the first backoff may be over already, a later one is not
    for (int i = 0; i < 5 && next.find("next attempt in") == std::string::npos; ++i)
        next = answer();
    EXPECT_THAT(next, AllOf(HasSubstr("next attempt in"), Not(HasSubstr("sesame"))));
    EXPECT_THAT(away->description(),
                AllOf(HasSubstr(fmt::format("127.0.0.1:{}", port)), Not(HasSubstr("sesame"))));
}

TEST_F(PostgresLoss, OfAServerThatNeverGreetsEndsInTime) {
    const auto deaf = bound_socket();
    ASSERT_EQ(::listen(deaf->fd(), 16), 0);
    Options impatient;
    impatient.connect_timeout = milliseconds(50);
    const auto database = backends::open_database(url_through(deaf->port()), impatient, metrics_);
    EXPECT_THROW(database->ping(), Failure);
}

}  // namespace
}  // namespace trackops::sql
