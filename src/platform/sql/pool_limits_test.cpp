// A pool lends exactly its maximum number of connections at once, no matter how earlier loans
// ended.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

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
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;

constexpr Query look{"test.look", "SELECT 1"};
constexpr auto timeout = seconds(20);
using Held = std::vector<std::unique_ptr<Transaction>>;

// Borrows connections until the pool refuses. No pool here has as many as ten.
Held lend_all(Database& database) {
    Held held;
    try {
        while (held.size() < 10) held.push_back(database.begin(Access::read));
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.fault, Fault::unavailable);
    }
    return held;
}

// Borrows all connections and sends a statement on each, so that each is open and can break.
Held lend_all_in_use(Database& database) {
    Held held = lend_all(database);
    for (const auto& tx : held) {
        tx->add(look, {});
        tx->flush();
    }
    return held;
}

// Returns the database's name in the metrics.
std::string name_of(const std::string& url) { return std::filesystem::path(url).stem().string(); }

class PoolLimits : public ::testing::TestWithParam<std::string> {
protected:
    // Checks that waiting callers are served one after the other once lent connections return.
    void hand_over(Database& database) {
        constexpr int waiters = 3;
        std::atomic<int> served = 0;
        Held held = lend_all(database);
        const double before = exhausted();
        {
            std::vector<std::jthread> threads;
            for (int i = 0; i < waiters; ++i) {
                threads.emplace_back([&] {
                    const auto abandon_turn = steady_clock::now() + timeout;
                    while (steady_clock::now() < abandon_turn) {
                        try {
                            database.begin(Access::read);
                            ++served;
                            return;
                        } catch (const Failure&) {  // timed out: waits again
                        }
                    }
                });
            }
            while (exhausted() < before + waiters) std::this_thread::yield();
            held.clear();
        }
        EXPECT_EQ(served, waiters);
    }
    double exhausted() {
        return metrics_
            .counter("trackops_sql_pool_exhausted_total", "",
                     {{"database", name_of(at_hand_.url())}})
            .value();
    }

    testing::FreshDatabase at_hand_{GetParam()};
    telemetry::Registry metrics_;
    const Options options_{.connections_max = 2, .connection_wait = milliseconds(50)};
    std::unique_ptr<Database> database_ =
        backends::open_database(at_hand_.url(), options_, metrics_);
};
INSTANTIATE_TEST_SUITE_P(Databases, PoolLimits, ::testing::ValuesIn(testing::databases),
                         [](const auto& tested) { return tested.param; });

TEST_P(PoolLimits, HoldAfterAConnectionWentToWhoWaitedForIt) {
    for (int i = 0; i < 2; ++i) {
        hand_over(*database_);
        EXPECT_EQ(lend_all(*database_).size(), 2u) << "round " << i;
    }
}

TEST_P(PoolLimits, HoldAfterSomeWaitedInVain) {
    for (int i = 0; i < 2; ++i) {
        const Held held = lend_all(*database_);
        ASSERT_EQ(held.size(), 2u);
        EXPECT_THROW(database_->begin(Access::read), Failure);
        EXPECT_THROW(database_->begin(Access::read), Failure);
    }
    EXPECT_EQ(lend_all(*database_).size(), 2u);
}

TEST_P(PoolLimits, HoldAfterTransactionsThatFailed) {
    for (int i = 0; i < 3; ++i) {
        Held held = lend_all(*database_);
        ASSERT_EQ(held.size(), 2u);
        for (const auto& tx : held) {
            tx->add({"test.bad", "SELECT nothing FROM nowhere"}, {});
            EXPECT_THROW(tx->flush(), Failure);
        }
    }
    EXPECT_EQ(lend_all_in_use(*database_).size(), 2u);
}

TEST(SqlitePoolLimits, HoldAfterFilesThatCouldNotBeOpened) {
    const testing::TemporaryFolder folder;
    const std::string in_the_way = folder.path() + "/made";
    telemetry::Registry metrics;
    const auto database = backends::open_database(
        "sqlite:" + in_the_way + "/test.db",
        {.connections_max = 2, .connection_wait = milliseconds(50)}, metrics);
    std::ofstream(in_the_way) << "a file where a folder should be";
    int refused = 0;
    for (const auto abandon_turn = steady_clock::now() + timeout; refused < 3;) {
        ASSERT_LT(steady_clock::now(), abandon_turn);
        try {
            database->begin(Access::read);
            FAIL() << "it was opened";
        } catch (const Failure& failure) {
            ASSERT_NE(failure.sqlstate, "53300") << "none is lent: " << failure.what();
            refused += failure.sqlstate == "58030" ? 1 : 0;
        }
    }
    std::filesystem::remove(in_the_way);
    Held held;
    for (const auto abandon_turn = steady_clock::now() + timeout; held.empty();) {
        ASSERT_LT(steady_clock::now(), abandon_turn);
        held = lend_all(*database);
    }
    EXPECT_EQ(held.size(), 2u);
}

class PostgresPoolLimits : public ::testing::Test {
protected:
    std::unique_ptr<Database> open_through(std::uint16_t port) {
        return backends::open_database(url_through(fresh_.url(), port),
                                       {.connections_max = 2, .connection_wait = milliseconds(50)},
                                       metrics_);
    }
    testing::FreshDatabase fresh_{"postgres"};
    telemetry::Registry metrics_;
};

// A pool that lost the place of each failed attempt would stay full for ever after an outage.
TEST_F(PostgresPoolLimits, HoldAfterConnectionsThatCouldNotBeMade) {
    auto bound = bound_socket();
    const auto database = open_through(bound->port());
    int refused = 0;
    for (const auto abandon_turn = steady_clock::now() + timeout; refused < 3;) {
        ASSERT_LT(steady_clock::now(), abandon_turn);
        try {
            database->begin(Access::read);
            FAIL() << "nobody listens";
        } catch (const Failure& failure) {
            const std::string what = failure.what();
            ASSERT_EQ(what.find("busy"), std::string::npos) << "none is lent: " << what;
            refused += what.find("refused") == std::string::npos ? 0 : 1;
        }
    }
    const Proxy server(server_address(fresh_.url()), std::move(bound));
    Held held;
    for (const auto abandon_turn = steady_clock::now() + timeout; held.empty();) {
        ASSERT_LT(steady_clock::now(), abandon_turn);
        held = lend_all(*database);
    }
    EXPECT_EQ(held.size(), 2u);
}

TEST_F(PostgresPoolLimits, HoldAfterConnectionsThatBrokeWhileTheyWereLent) {
    Proxy server(server_address(fresh_.url()));
    const auto database = open_through(server.port());
    for (int i = 0; i < 3; ++i) {
        Held held = lend_all_in_use(*database);
        ASSERT_EQ(held.size(), 2u) << "round " << i;
        server.cut();
        for (const auto& tx : held) {
            tx->add(look, {});
            EXPECT_THROW(tx->flush(), Failure);
        }
    }
    EXPECT_EQ(lend_all_in_use(*database).size(), 2u);
}

TEST_F(PostgresPoolLimits, HoldAfterConnectionsThatBrokeWhileNobodyHadThem) {
    Proxy server(server_address(fresh_.url()));
    const auto database = open_through(server.port());
    for (int i = 0; i < 3; ++i) {
        ASSERT_EQ(lend_all_in_use(*database).size(), 2u) << "round " << i;
        server.cut();
    }
    EXPECT_EQ(lend_all_in_use(*database).size(), 2u);
    const auto& made_anew = metrics_.counter("trackops_sql_reconnects_total", "",
                                             {{"database", name_of(fresh_.url())}});
    EXPECT_EQ(made_anew.value(), 6) << "two in each round";
}

}  // namespace
}  // namespace trackops::sql
