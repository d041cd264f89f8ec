#include "platform/runtime/budget.hpp"

#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/telemetry/metrics.hpp"

namespace trackops::runtime {
namespace {

using ::testing::HasSubstr;

class BudgetTest : public ::testing::Test {
protected:
    telemetry::Registry metrics_;
    Budget budget_{100, metrics_};
};

TEST_F(BudgetTest, GivesNoMoreThanItHas) {
    EXPECT_TRUE(budget_.take(Spending::bodies, 60));
    EXPECT_FALSE(budget_.take(Spending::streams, 41));
    EXPECT_TRUE(budget_.take(Spending::streams, 40));
    EXPECT_TRUE(budget_.is_spent());
    EXPECT_FALSE(budget_.take(Spending::bodies, SIZE_MAX)) << "no sum runs over";
    budget_.put_back(Spending::bodies, 60);
    EXPECT_EQ(budget_.used(), 40u);
    EXPECT_TRUE(budget_.take(Spending::commands, 60));
}

TEST_F(BudgetTest, CountsWhatIsThereAlready) {
    budget_.take_anyway(Spending::messages, 150);
    EXPECT_TRUE(budget_.is_spent());
    EXPECT_FALSE(budget_.take(Spending::bodies, 1));
    budget_.put_back(Spending::messages, 150);
    EXPECT_TRUE(budget_.take(Spending::bodies, 100));
}

TEST_F(BudgetTest, TellsWhetherThereIsRoom) {
    EXPECT_TRUE(budget_.has_room(Spending::answers, 50));
    EXPECT_FALSE(budget_.has_room(Spending::answers, 51)) << "half is left for others";
    budget_.take_anyway(Spending::answers, 20);
    EXPECT_TRUE(budget_.has_room(Spending::answers, 30));
    EXPECT_FALSE(budget_.has_room(Spending::answers, 31));
    budget_.put_back(Spending::answers, 20);
    budget_.take_anyway(Spending::messages, 150);
    EXPECT_FALSE(budget_.has_room(Spending::answers, 1));
    EXPECT_EQ(budget_.used(), 150u);
    EXPECT_THAT(metrics_.prometheus_text(),
                HasSubstr("trackops_budget_refused_total{use=\"answers\"} 3"));
}

TEST_F(BudgetTest, ShowsItsUse) {
    EXPECT_TRUE(budget_.take(Spending::bodies, 60));
    EXPECT_FALSE(budget_.take(Spending::relay, 60));
    const std::string text = metrics_.prometheus_text();
    EXPECT_THAT(text, HasSubstr("trackops_budget_bytes{use=\"bodies\"} 60"));
    EXPECT_THAT(text, HasSubstr("trackops_budget_limit_bytes 100"));
    EXPECT_THAT(text, HasSubstr("trackops_budget_refused_total{use=\"relay\"} 1"));
    EXPECT_THAT(text, HasSubstr("trackops_budget_refused_total{use=\"bodies\"} 0"));
}

TEST_F(BudgetTest, GetsASharesBytesBackOnce) {
    {
        Share share(&budget_, Spending::bodies);
        EXPECT_TRUE(share.resize(70));
        EXPECT_FALSE(share.resize(101));
        EXPECT_EQ(share.bytes(), 70u);
        Share moved(std::move(share));
        EXPECT_EQ(budget_.used(), 70u);
        EXPECT_TRUE(moved.resize(50));
        EXPECT_EQ(budget_.used(), 50u);
        Share other;
        other = std::move(moved);
        EXPECT_EQ(budget_.used(), 50u);
    }
    EXPECT_EQ(budget_.used(), 0u);
    Share none;
    EXPECT_TRUE(none.resize(1000)) << "without a budget nothing is counted";
}

TEST_F(BudgetTest, LosesNothingBetweenThreads) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([this] {
            for (int k = 0; k < 10'000; ++k) {
                if (budget_.take(Spending::bodies, 40)) budget_.put_back(Spending::bodies, 40);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(budget_.used(), 0u);
}

}  // namespace
}  // namespace trackops::runtime
