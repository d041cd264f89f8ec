#include "platform/relay/lease.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "platform/outbox/outbox_for_tests.hpp"

namespace trackops::relay {
namespace {

// Calls a hook just before a write transaction begins.
class WatchedDatabase final : public sql::Database {
public:
    explicit WatchedDatabase(sql::Database& database) : database_(database) {}
    std::function<void()> before_write = [] {};

    std::unique_ptr<sql::Transaction> begin(sql::Access access) override {
        if (access == sql::Access::write) before_write();
        return database_.begin(access);
    }
    sql::Dialect dialect() const override { return database_.dialect(); }
    void ping() override { database_.ping(); }
    std::string description() const override { return database_.description(); }

private:
    sql::Database& database_;
};

class LeaseContract : public ::testing::TestWithParam<std::string> {
protected:
    using LeaseState = Lease::LeaseState;
    static constexpr Duration time = std::chrono::seconds(4);

    outbox::OutboxFixture outbox_{GetParam()};
    testing::FakeClock clock_{outbox::noon};
    WatchedDatabase watched_{*outbox_.database};
    Lease one_{watched_, clock_, "one", time};
    Lease two_{*outbox_.database, clock_, "two", time};
};
INSTANTIATE_TEST_SUITE_P(Databases, LeaseContract, ::testing::ValuesIn(testing::databases));

TEST_P(LeaseContract, IsTakenKeptAndTakenOverWhenItRanOut) {
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::taken);
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::kept);
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::none);
    clock_.advance(time - Duration(1));
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::none);
    // The lease has been renewed.
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::kept);
    clock_.advance(time - Duration(1));
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::none);
    clock_.advance(Duration(1));
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::taken);
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::none);
}

TEST_P(LeaseContract, OfOneThatSleptIsKeptUnlessAnotherHadIt) {
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::taken);
    clock_.advance(time * 3);
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::kept);
    one_.forget();
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::taken);
    clock_.advance(time);
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::taken);
    two_.release();
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::taken);
}

// A holder has died whose clock was an hour ahead.
TEST_P(LeaseContract, IsTakenOverWhenItIsNotRenewed) {
    clock_.advance(std::chrono::hours(1));
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::taken);
    clock_.advance(-std::chrono::hours(1));
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::none);
    clock_.advance(time - Duration(1));
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::none);
    clock_.advance(Duration(1));
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::taken);
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::none);
}

TEST_P(LeaseContract, IsRenewedByAClockThatWasSetBack) {
    clock_.advance(std::chrono::hours(1));
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::taken);
    clock_.advance(-std::chrono::hours(1));
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(one_.acquire_or_renew(), LeaseState::kept);
        EXPECT_EQ(two_.acquire_or_renew(), LeaseState::none);
        clock_.advance(time / 2);
    }
}

TEST_P(LeaseContract, GoesToOneWhenTwoFindItFree) {
    watched_.before_write = [this] { EXPECT_EQ(two_.acquire_or_renew(), LeaseState::taken); };
    // The first lease found the row free before the second one took it.
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::none);
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::kept);
}

TEST_P(LeaseContract, StaysWithAHolderThatRenewsItAfterAnotherHasFoundItRunOut) {
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::taken);
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::none);
    clock_.advance(time);
    watched_.before_write = [this] { EXPECT_EQ(two_.acquire_or_renew(), LeaseState::kept); };
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::none);
    clock_.advance(time / 2);
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::kept);
    watched_.before_write = [] { FAIL() << "wrote"; };
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::none);
    watched_.before_write = [] {};
    clock_.advance(time);
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::taken);
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::none);
}

// The waiting process has a clock that is an hour behind: it relies on the changes it observes, not
// on the stored time.
TEST_P(LeaseContract, StaysWithAHolderThatRenewsItBeforeAnotherWithASlowClockTakesIt) {
    testing::FakeClock slow{outbox::noon - std::chrono::hours(1)};
    Lease late{watched_, slow, "late", time};
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::taken);
    EXPECT_EQ(late.acquire_or_renew(), LeaseState::none);
    clock_.advance(time);
    slow.advance(time);
    watched_.before_write = [this] { EXPECT_EQ(two_.acquire_or_renew(), LeaseState::kept); };
    EXPECT_EQ(late.acquire_or_renew(), LeaseState::none);
    watched_.before_write = [] { FAIL() << "wrote"; };
    slow.advance(time - Duration(1));
    EXPECT_EQ(late.acquire_or_renew(), LeaseState::none);
    clock_.advance(time / 2);
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::kept);
}

// After the renewal the stored end of the lease is earlier than the one that the other process saw.
TEST_P(LeaseContract, StaysWithAHolderThatRenewsItByAClockThatWasSetBackMeanwhile) {
    testing::FakeClock set_back{outbox::noon};
    Lease holder{*outbox_.database, set_back, "holder", time};
    EXPECT_EQ(holder.acquire_or_renew(), LeaseState::taken);
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::none);
    clock_.advance(time);
    set_back.advance(-std::chrono::hours(1));
    watched_.before_write = [&] { EXPECT_EQ(holder.acquire_or_renew(), LeaseState::kept); };
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::none);
    set_back.advance(time / 2);
    EXPECT_EQ(holder.acquire_or_renew(), LeaseState::kept);
}

TEST_P(LeaseContract, IsTakenByOneOfTwoThatFoundItRunOut) {
    Lease three{*outbox_.database, clock_, "three", time};
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::taken);
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::none);
    EXPECT_EQ(three.acquire_or_renew(), LeaseState::none);
    clock_.advance(time);
    watched_.before_write = [&] { EXPECT_EQ(three.acquire_or_renew(), LeaseState::taken); };
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::none);
    EXPECT_EQ(three.acquire_or_renew(), LeaseState::kept);
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::none);
}

TEST_P(LeaseContract, IsTakenWhenItIsReleasedBetweenLookAndTake) {
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::taken);
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::none);
    clock_.advance(time);
    watched_.before_write = [this] { two_.release(); };
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::taken);
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::none);
}

// A former holder acquires again, and another process takes the lease over in between.
TEST_P(LeaseContract, IsNotTakenBackFromItsNewHolder) {
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::taken);
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::none);
    clock_.advance(time);
    one_.forget();
    watched_.before_write = [this] { EXPECT_EQ(two_.acquire_or_renew(), LeaseState::taken); };
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::none);
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::kept);
    watched_.before_write = [] {};
    clock_.advance(time);
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::taken);
}

// An observation from before the process's own clock was set back does not tell how long it has
// waited.
TEST_P(LeaseContract, IsTakenOverAfterItsTimeByOneWhoseClockWasSetBack) {
    for (const Duration back : {Duration(std::chrono::hours(1)), time / 2, Duration(1)}) {
        EXPECT_EQ(two_.acquire_or_renew(), LeaseState::taken);  // and never acts again
        testing::FakeClock own{clock_.now()};
        Lease waiting{*outbox_.database, own, "waiting", time};
        EXPECT_EQ(waiting.acquire_or_renew(), LeaseState::none);
        own.advance(-back);
        EXPECT_EQ(waiting.acquire_or_renew(), LeaseState::none);
        own.advance(time - Duration(1));
        EXPECT_EQ(waiting.acquire_or_renew(), LeaseState::none);
        own.advance(Duration(1));
        EXPECT_EQ(waiting.acquire_or_renew(), LeaseState::taken);
        waiting.release();
        two_.forget();
    }
}

TEST_P(LeaseContract, IsNotTakenFromOneThatRenewsItByOneWhoseClockIsSetBackAgainAndAgain) {
    testing::FakeClock own{outbox::noon};
    Lease waiting{*outbox_.database, own, "waiting", time};
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::taken);
    for (int i = 0; i < 12; ++i) {
        EXPECT_EQ(waiting.acquire_or_renew(), LeaseState::none) << i;
        own.advance(i % 3 == 0 ? Duration(-std::chrono::minutes(10)) : time / 2);
        clock_.advance(time / 2);
        EXPECT_EQ(two_.acquire_or_renew(), LeaseState::kept) << i;
    }
}

// A holder whose clock was set back must not believe for an hour that it has just renewed.
TEST_P(LeaseContract, IsRenewedAtOnceAfterTheClockOfItsHolderWasSetBack) {
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::taken);
    clock_.advance(-Duration(1));
    int writes = 0;
    watched_.before_write = [&] { ++writes; };
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::kept);
    EXPECT_EQ(writes, 1);
    clock_.advance(time / 3 - Duration(1));
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::kept);
    EXPECT_EQ(writes, 1);
    clock_.advance(Duration(1));
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::kept);
    EXPECT_EQ(writes, 2);
}

TEST_P(LeaseContract, CostsOneThatWaitsNoWrites) {
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::taken);
    watched_.before_write = [] { FAIL() << "wrote"; };
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::none);
}

TEST_P(LeaseContract, IsReleasedByItsHolderOnly) {
    EXPECT_EQ(one_.acquire_or_renew(), LeaseState::taken);
    two_.release();
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::none);
    one_.release();
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::taken);
}

// A lock that two transactions can hold at once would let the other relay take the lease.
TEST_P(LeaseContract, IsNotTakenOverBeforeATransactionEndsThatHasLockedIt) {
    // The wait ends soon, because one thread does both.
    const auto impatient = backends::open_database(
        outbox_.url(), {.lock_timeout = std::chrono::milliseconds(50)}, outbox_.metrics);
    Lease next{*impatient, clock_, "next", time};
    EXPECT_EQ(two_.acquire_or_renew(), LeaseState::taken);
    clock_.advance(time);
    auto tx = outbox_.database->begin(sql::Access::write);
    EXPECT_FALSE(lock_held_lease(*tx, "next"));
    EXPECT_TRUE(lock_held_lease(*tx, "two"));
    try {
        next.acquire_or_renew();
        ADD_FAILURE() << "took the lease over";
    } catch (const sql::Failure& failure) {
        EXPECT_EQ(failure.fault, sql::Fault::unavailable) << failure.what();
    }
    tx->commit();
    EXPECT_EQ(next.acquire_or_renew(), LeaseState::taken);
    tx = outbox_.database->begin(sql::Access::write);
    EXPECT_FALSE(lock_held_lease(*tx, "two"));
}

TEST(Lease, NeedsAName) {
    testing::FakeClock clock;
    outbox::OutboxFixture outbox("sqlite");
    EXPECT_THROW(Lease(*outbox.database, clock, "", std::chrono::seconds(1)),
                 std::invalid_argument);
}

}  // namespace
}  // namespace trackops::relay
