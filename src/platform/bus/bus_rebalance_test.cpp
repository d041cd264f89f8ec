// The contract of the bus about pauses and commits across a rebalance, tested on each driver.
#include <algorithm>
#include <functional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/bus/bus_contract_fixture.hpp"

namespace trackops::bus {
namespace {

using std::chrono::milliseconds;
using ::testing::IsEmpty;

// After a rebalance, uncommitted messages are delivered again to the new owner of their partition.
class BusRebalance : public BusContract {
protected:
    // Publishes 60 messages to `stays` and lets another member own some partitions for a while.
    // Returns the messages of those partitions, which must be delivered to `stays` again.
    std::vector<Message> move_away_and_back(Subscription& stays) {
        publish_numbered(0, 60);
        std::vector<Message> given = take(stays, 60);
        before_rebalance(stays);
        auto other = subscribe("group");
        std::set<std::int32_t> moved;
        std::size_t again = 0;
        const auto has_moved = [&](const Message& message) {
            return moved.contains(message.partition);
        };
        const auto deadline = std::chrono::steady_clock::now() + wait_max;
        while ((again == 0 ||
                again != static_cast<std::size_t>(std::ranges::count_if(given, has_moved))) &&
               std::chrono::steady_clock::now() < deadline) {
            EXPECT_THAT(stays.poll(100, milliseconds(10)), IsEmpty());
            for (const Message& message : other->poll(100, milliseconds(20))) {
                moved.insert(message.partition);
                ++again;
            }
        }
        EXPECT_GT(again, 0u);
        other.reset();
        std::erase_if(given, [&](const Message& message) { return !has_moved(message); });
        return given;
    }
    std::function<void(Subscription&)> before_rebalance = [](Subscription&) {};
};

TEST_P(BusRebalance, EndsThePauseOfWhatComesToAnotherMember) {
    make({"orders"});
    auto leaves = subscribe("group");
    publish_numbered(0, 60);
    take(*leaves, 60);
    for (const int partition : {0, 1, 2}) leaves->pause("orders", partition, true);
    publish_numbered(60, 80);
    EXPECT_THAT(leaves->poll(10, Duration::zero()), IsEmpty());
    leaves.reset();
    const auto next = subscribe("group");
    std::vector<Message> given = next->poll(80, is_kafka() ? wait_max : Duration::zero());
    ASSERT_FALSE(given.empty());
    std::ranges::move(take(*next, 80 - given.size()), std::back_inserter(given));
    EXPECT_EQ(numbers(given), up_to(0, 80));
}

TEST_P(BusRebalance, EndsThePauseOfWhatComesBack) {
    make({"orders"});
    const auto stays = subscribe("group");
    before_rebalance = [](Subscription& member) {
        for (const int partition : {0, 1, 2}) member.pause("orders", partition, true);
    };
    const std::vector<Message> moved = move_away_and_back(*stays);
    EXPECT_EQ(numbers(take(*stays, moved.size())), numbers(moved));
}

TEST_P(BusRebalance, LetsNoCommitOfWhatWasGivenBeforeItSkipAMessage) {
    make({"orders"});
    const auto stays = subscribe("group");
    const std::vector<Message> moved = move_away_and_back(*stays);
    // Of the first partition that was reassigned.
    const std::vector<Message> first = take(*stays, 1);
    const Message& again = first.at(0);
    const auto is_here = [&](const Message& message) {
        return message.partition == again.partition;
    };
    ASSERT_EQ(again.offset, 0);
    const auto last = std::ranges::find_if(moved.rbegin(), moved.rend(), is_here);
    ASSERT_GT(last->offset, 0);
    const auto& ignored =
        metrics_.counter("trackops_bus_ignored_commits_total", "", {{"group", "group"}});
    stays->commit("orders", last->partition, last->offset);
    ASSERT_EQ(ignored.value(), 1);
    stays->commit("orders", again.partition, again.offset);
    EXPECT_EQ(numbers(take(*stays, moved.size() - 1)).size(), moved.size() - 1);
    expect_lag(*stays, "group", 59);
    commit_all(*stays, moved);  // delivered again, so they count
    expect_lag(*stays, "group", 60 - static_cast<std::int64_t>(moved.size()));
    EXPECT_EQ(ignored.value(), 1);
}

INSTANTIATE_TEST_SUITE_P(Buses, BusRebalance, ::testing::Values("embedded", "kafka"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace trackops::bus
