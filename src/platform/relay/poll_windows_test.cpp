// Tests of faults that only a reader of snapshot windows can have. source_scenarios_test.cpp tests
// what every source promises.
#include <gtest/gtest.h>

#include "platform/outbox/outbox_for_tests.hpp"
#include "platform/relay/poll_source.hpp"
#include "platform/relay/poll_source_postgres.hpp"

namespace trackops::relay {
namespace {

class Windows : public ::testing::Test {
protected:
    using Transaction = std::unique_ptr<sql::Transaction>;

    // Returns an open transaction that has written events, so their positions are drawn.
    Transaction open(std::vector<outbox::Event> events) {
        auto tx = outbox_.database->begin(sql::Access::write);
        append(*tx, events);
        tx->flush();
        return tx;
    }
    // Returns an open transaction that has an xid and has written nothing to the outbox yet.
    Transaction begin() {
        auto tx = outbox_.database->begin(sql::Access::write);
        run(*tx, "SELECT pg_current_xact_id()::text");
        return tx;
    }
    static void run(sql::Transaction& tx, std::string_view statement) {
        tx.add({.name = "test.run", .text = statement}, {});
        tx.flush();
    }
    static std::string read(Source& source, std::size_t max = 100) {
        return outbox::OutboxFixture::names(source.read(max));
    }
    outbox::OutboxFixture outbox_{"postgres"};
    std::unique_ptr<Source> source_ = make_poll_source(*outbox_.database);
};

// A transaction that began first commits a batch between two reads. Another one commits between a
// read and its confirm.
TEST_F(Windows, TakesABatchThatCommitsBetweenReadsOrBeforeTheConfirm) {
    auto early = begin();
    outbox_.commit("a1 b1");
    EXPECT_EQ(read(*source_), "a1 b1");
    auto between = open(outbox_.parse("c1 c2"));
    source_->confirm();
    append(*early, outbox_.parse("e1 e2"));
    early->commit();
    EXPECT_EQ(read(*source_), "e1 e2");
    between->commit();
    // Must not confirm c1, which has not been read.
    source_->confirm();
    source_ = make_poll_source(*outbox_.database);
    EXPECT_EQ(read(*source_), "c1 c2");
}

// The same while a window of several pages is open: events that commit with lower positions belong
// to the next window.
TEST_F(Windows, KeepsAnOpenWindowApartFromWhatCommitsMeanwhile) {
    auto late = open(outbox_.parse("l1"));
    outbox_.commit("a1 b1 a2 b2 a3 b3 a4 b4 a5 b5");
    EXPECT_EQ(read(*source_, 2), "a1 b1");
    source_->confirm();
    late->commit();
    outbox_.commit("c1");
    EXPECT_EQ(read(*source_, 2), "a2 b2");
    source_->confirm();
    // The window is stored, so a new source continues it.
    source_ = make_poll_source(*outbox_.database);
    EXPECT_EQ(read(*source_, 4), "a3 b3 a4 b4");
    EXPECT_EQ(outbox::OutboxFixture::names(source_->unconfirmed(0, 10)), "l1 a3 b3 a4 b4 a5 b5 c1");
    EXPECT_EQ(source_->backlog(outbox::noon).events, 8);
    source_->confirm();
    EXPECT_EQ(read(*source_, 4), "a5 b5");
    EXPECT_EQ(read(*source_, 4), "l1 c1");
    source_->confirm();
    EXPECT_EQ(read(*source_, 4), "");
    EXPECT_EQ(source_->backlog(outbox::noon).events, 0);
}

// The first transaction that the base does not see bears its xmax. Others on the server draw
// numbers too, so it takes some rounds to meet it; each must give its event.
TEST_F(Windows, BeginsWithTheFirstTransactionThatItsBaseDoesNotSee) {
    const auto source = make_postgres_poll_source(*outbox_.database);
    for (std::uint64_t xid = 0, first = 1; xid != first;) {
        EXPECT_EQ(read(*source), "");
        first = source->done().value().xmax;
        outbox_.commit("a1");
        xid = static_cast<std::uint64_t>(
            outbox_.number("SELECT max(xid::text::bigint) FROM outbox_events"));
        ASSERT_EQ(read(*source), "a1");
        source->confirm();
    }
}

TEST_F(Windows, MovesItsCheckpointWhenManyTransactionsPassWithoutEvents) {
    outbox_.commit("a1");
    EXPECT_EQ(read(*source_), "a1");
    source_->confirm();
    const std::string before = source_->backlog(outbox::noon).position;
    EXPECT_EQ(read(*source_), "");
    source_->confirm();
    EXPECT_EQ(source_->backlog(outbox::noon).position, before);
    const auto tx = outbox_.database->begin(sql::Access::write);
    run(*tx,
        "DO $$ BEGIN FOR i IN 1..20000 LOOP BEGIN "
        "CREATE TEMP TABLE IF NOT EXISTS t (n int); INSERT INTO t VALUES (i); "
        "EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$");
    tx->commit();
    EXPECT_EQ(read(*source_), "");
    source_->confirm();
    EXPECT_NE(source_->backlog(outbox::noon).position, before);
}

TEST_F(Windows, RefusesACheckpointFromAnotherDatabase) {
    const auto tx = outbox_.database->begin(sql::Access::write);
    run(*tx, "INSERT INTO relay.checkpoint VALUES (1, '900000000:900000000:', NULL, 0)");
    tx->commit();
    EXPECT_THROW(source_->read(10), sql::Failure);
}

}  // namespace
}  // namespace trackops::relay
