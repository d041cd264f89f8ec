#include "order/app/decide_change.hpp"

#include <gtest/gtest.h>

namespace trackops::order::app {
namespace {

// Rows of the precedence: each case has every reason of the later ones, too.
class ChangeDecisionOf : public ::testing::Test {
protected:
    ChangeDecisionOf() {
        record.order.version = 7;
        change.condition.only = {3};
        change.change = [this](domain::OrderAggregate& changed) -> Result<void> {
            ++runs;
            if (is_refused) return fail(Errc::illegal_transition, "refused");
            ++changed.order.version;
            return {};
        };
    }
    Errc refusal(const ChangeState& state) { return decide_change(change, state).error().code; }

    domain::OrderAggregate record;
    OrderChange change;
    bool is_refused = true;
    int runs = 0;
};

TEST_F(ChangeDecisionOf, AKeyComesFirst) {
    EXPECT_EQ(refusal({nullptr, true, Result<RecordedResponse>(fail(Errc::key_reused, "reused"))}),
              Errc::key_reused);
    const RecordedResponse first{200, "{}", "", "\"2\""};
    const auto again = decide_change(change, {nullptr, true, Result<RecordedResponse>(first)});
    ASSERT_TRUE(again);
    EXPECT_EQ(again->answer.recorded, first);
    EXPECT_FALSE(again->has_run);
}

TEST_F(ChangeDecisionOf, AnOrderThatIsNotThereComesBeforeItsVersion) {
    EXPECT_EQ(refusal({nullptr, true, {}}), Errc::not_found);
}

TEST_F(ChangeDecisionOf, ARepeatAnswersWithTheOrderWhateverItsVersion) {
    const auto again = decide_change(change, {&record, true, {}});
    ASSERT_TRUE(again);
    EXPECT_EQ(again->answer.order.version, 7);
    EXPECT_FALSE(again->has_run);
}

TEST_F(ChangeDecisionOf, AnotherVersionIsRefusedBeforeTheChangeRuns) {
    EXPECT_EQ(refusal({&record, false, {}}), Errc::precondition_failed);
    EXPECT_EQ(runs, 0);
    change.condition.only = {7};
    EXPECT_EQ(refusal({&record, false, {}}), Errc::illegal_transition);
    is_refused = false;
    const auto done = decide_change(change, {&record, false, {}});
    ASSERT_TRUE(done);
    EXPECT_TRUE(done->has_run);
    EXPECT_EQ(done->answer.order.version, 8);
    EXPECT_EQ(runs, 2);
}

}  // namespace
}  // namespace trackops::order::app
