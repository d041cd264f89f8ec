#include "platform/outbox/lease.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "platform/outbox/outbox_for_tests.hpp"

namespace trackops::outbox {
namespace {

// Lets something happen just before a writing transaction begins.
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
    using Hold = Lease::Hold;
    static constexpr Duration time = std::chrono::seconds(4);

    OutboxForTests outbox_{GetParam()};
    testing::FakeClock clock_{noon};
    WatchedDatabase watched_{*outbox_.database};
    Lease one_{watched_, clock_, "one", time};
    Lease two_{*outbox_.database, clock_, "two", time};
};
INSTANTIATE_TEST_SUITE_P(Databases, LeaseContract, ::testing::ValuesIn(testing::databases));

TEST_P(LeaseContract, IsTakenKeptAndTakenOverWhenItRanOut) {
    EXPECT_EQ(one_.hold(), Hold::taken);
    EXPECT_EQ(one_.hold(), Hold::kept);
    EXPECT_EQ(two_.hold(), Hold::none);
    clock_.advance(time - Duration(1));
    EXPECT_EQ(two_.hold(), Hold::none);
    EXPECT_EQ(one_.hold(), Hold::kept);  // renewed
    clock_.advance(time - Duration(1));
    EXPECT_EQ(two_.hold(), Hold::none);
    clock_.advance(Duration(1));
    EXPECT_EQ(two_.hold(), Hold::taken);
    EXPECT_EQ(one_.hold(), Hold::none);
}

TEST_P(LeaseContract, OfOneThatSleptIsKeptUnlessAnotherHadIt) {
    EXPECT_EQ(one_.hold(), Hold::taken);
    clock_.advance(time * 3);
    EXPECT_EQ(one_.hold(), Hold::kept);
    one_.forget();
    EXPECT_EQ(one_.hold(), Hold::taken);
    clock_.advance(time);
    EXPECT_EQ(two_.hold(), Hold::taken);
    two_.release();
    EXPECT_EQ(one_.hold(), Hold::taken);
}

// The clock of a holder that died was an hour ahead.
TEST_P(LeaseContract, IsTakenOverWhenNobodyRenewsItWhateverItSays) {
    clock_.advance(std::chrono::hours(1));
    EXPECT_EQ(one_.hold(), Hold::taken);
    clock_.advance(-std::chrono::hours(1));
    EXPECT_EQ(two_.hold(), Hold::none);
    clock_.advance(time - Duration(1));
    EXPECT_EQ(two_.hold(), Hold::none);
    clock_.advance(Duration(1));
    EXPECT_EQ(two_.hold(), Hold::taken);
    EXPECT_EQ(one_.hold(), Hold::none);
}

TEST_P(LeaseContract, IsRenewedByAClockThatWasSetBack) {
    clock_.advance(std::chrono::hours(1));
    EXPECT_EQ(one_.hold(), Hold::taken);
    clock_.advance(-std::chrono::hours(1));
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(one_.hold(), Hold::kept);
        EXPECT_EQ(two_.hold(), Hold::none);
        clock_.advance(time / 2);
    }
}

TEST_P(LeaseContract, GoesToOneWhenTwoFindItFree) {
    watched_.before_write = [this] { EXPECT_EQ(two_.hold(), Hold::taken); };
    EXPECT_EQ(one_.hold(), Hold::none);  // it had looked, and found it free
    EXPECT_EQ(two_.hold(), Hold::kept);
}

TEST_P(LeaseContract, CostsOneThatWaitsNoWrites) {
    EXPECT_EQ(two_.hold(), Hold::taken);
    watched_.before_write = [] { FAIL() << "wrote"; };
    EXPECT_EQ(one_.hold(), Hold::none);
}

TEST_P(LeaseContract, IsReleasedByItsHolderOnly) {
    EXPECT_EQ(one_.hold(), Hold::taken);
    two_.release();
    EXPECT_EQ(two_.hold(), Hold::none);
    one_.release();
    EXPECT_EQ(two_.hold(), Hold::taken);
}

TEST(Lease, NeedsAName) {
    testing::FakeClock clock;
    OutboxForTests outbox("sqlite");
    EXPECT_THROW(Lease(*outbox.database, clock, "", std::chrono::seconds(1)),
                 std::invalid_argument);
}

}  // namespace
}  // namespace trackops::outbox
