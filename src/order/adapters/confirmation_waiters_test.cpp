#include "order/adapters/confirmation_waiters.hpp"

#include <gtest/gtest.h>

#include "testing/fakes.hpp"

namespace trackops::order::adapters {
namespace {

// A store that implements only settled().
class SettledOnly final : public app::OrderStore {
public:
    std::vector<Result<app::SaveResult>> add(std::span<const app::NewOrder>) override { return {}; }
    std::vector<Result<app::SaveResult>> update(std::span<const app::OrderChange>) override {
        return {};
    }
    std::vector<Result<domain::Order>> find(std::span<const domain::OrderId>) override {
        return {};
    }
    Result<std::vector<domain::Order>> settled(std::span<const domain::OrderId> ids) override {
        asked.emplace_back(ids.begin(), ids.end());
        return answer;
    }
    Result<app::Page<domain::Order, domain::OrderId>> list(const app::OrderFilter&,
                                                           std::optional<domain::OrderId>,
                                                           std::size_t) override {
        return {};
    }
    Result<app::Page<domain::Order, app::UpdatedCursor>> list_updated(
        const app::OrderFilter&, std::optional<app::UpdatedCursor>, std::size_t) override {
        return {};
    }
    Result<std::vector<app::HistoryEntry>> timeline(domain::OrderId) override { return {}; }
    Result<app::SagaOfOrder> saga(domain::SagaId) override { return {}; }
    Result<app::Page<app::SagaOfOrder, domain::SagaId>> sagas(const app::SagaFilter&,
                                                              std::optional<domain::SagaId>,
                                                              std::size_t) override {
        return {};
    }
    Result<std::vector<domain::OrderId>> claim_due(Instant, Duration, std::size_t) override {
        return {};
    }

    std::vector<std::vector<domain::OrderId>> asked;
    Result<std::vector<domain::Order>> answer = std::vector<domain::Order>();
};

class ConfirmationsTest : public ::testing::Test {
protected:
    void wait(domain::OrderId id) {
        waiting_.wait(
            id, std::chrono::seconds(5), [this](const std::optional<domain::Order>& order) {
                answers_.push_back(order ? std::string(name_of(order->status)) : "TIME_IS_UP");
            });
    }
    static domain::Order order(domain::OrderId id, domain::Status status) {
        domain::Order made;
        made.id = id;
        made.status = status;
        return made;
    }
    testing::FakeClock clock_;
    SettledOnly store_;
    std::vector<std::string> answers_;
    ConfirmationWaiters waiting_{store_, clock_};
    const domain::OrderId id_{uuid_v7({1}, 1, 1)};
    const domain::OrderId other_{uuid_v7({1}, 2, 2)};
};

TEST_F(ConfirmationsTest, PollOnceForAllOverdueWaitersOnly) {
    const domain::OrderId late{uuid_v7({1}, 3, 3)};
    waiting_.run({});
    wait(id_);
    wait(id_);
    wait(other_);
    waiting_.run({});
    EXPECT_TRUE(store_.asked.empty());
    clock_.advance(ConfirmationWaiters::poll_interval);
    wait(late);
    store_.answer = std::vector{order(id_, domain::Status::confirmed)};
    EXPECT_EQ(waiting_.run({}).call_again_in, ConfirmationWaiters::poll_interval);
    EXPECT_EQ(store_.asked, (std::vector<std::vector<domain::OrderId>>{{id_, other_}}));
    EXPECT_EQ(answers_, (std::vector<std::string>{"CONFIRMED", "CONFIRMED"}));
}

TEST_F(ConfirmationsTest, EndWhenTheTimeIsUp) {
    wait(id_);
    clock_.advance(std::chrono::milliseconds(4999));
    waiting_.run({});
    EXPECT_TRUE(answers_.empty());
    clock_.advance(std::chrono::milliseconds(1));
    waiting_.run({});
    EXPECT_EQ(answers_, std::vector<std::string>{"TIME_IS_UP"});
}

TEST_F(ConfirmationsTest, EndAlsoWhileTheDatabaseIsAway) {
    wait(id_);
    store_.answer = fail(Errc::unavailable, "away");
    clock_.advance(std::chrono::seconds(5));
    waiting_.run({});
    EXPECT_EQ(answers_, std::vector<std::string>{"TIME_IS_UP"});
}

TEST_F(ConfirmationsTest, HearWhatWasSettledNextDoor) {
    wait(id_);
    waiting_.settled(
        std::vector{order(id_, domain::Status::pending), order(other_, domain::Status::confirmed)});
    EXPECT_TRUE(answers_.empty());
    waiting_.settled(std::vector{order(id_, domain::Status::cancelled)});
    EXPECT_EQ(answers_, std::vector<std::string>{"CANCELLED"});
}

TEST_F(ConfirmationsTest, AnswerEverybodyAtTheEnd) {
    wait(id_);
    waiting_.close();
    wait(other_);
    EXPECT_EQ(answers_, (std::vector<std::string>{"TIME_IS_UP", "TIME_IS_UP"}));
}

}  // namespace
}  // namespace trackops::order::adapters
