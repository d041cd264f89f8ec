// Tests which messages may be handled and how far a partition is done, without a subscription.
#include "platform/bus/partition_queues.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trackops::bus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Instant start{1'700'000'000'000'000};
const PartitionQueueLimits limits{.slots_max = 4, .backoff = {milliseconds(20), seconds(2)}};
using Offsets = std::vector<std::int64_t>;

Message message(std::int64_t offset, std::string key, std::int32_t partition = 0) {
    return {"t", partition, offset, std::move(key), fmt::to_string(offset), {}, {}};
}

// Returns messages with the offsets [from, to) and the keys a, b, a, b, ...
std::vector<Message> messages(std::int64_t from, std::int64_t to) {
    std::vector<Message> all;
    for (std::int64_t i = from; i < to; ++i) all.push_back(message(i, i % 2 == 0 ? "a" : "b"));
    return all;
}

Offsets offsets(const std::vector<Message>& batch) {
    Offsets all;
    for (const Message& one : batch) all.push_back(one.offset);
    return all;
}

class LanesOfAConsumer : public ::testing::Test {
protected:
    // Adds fetched messages and records an outcome, is_done(offset), for those that may be handled.
    // Returns their offsets.
    template <class IsDone>
    Offsets give(std::vector<Message> fresh, IsDone is_done) {
        std::vector<Message> batch;
        queues_->add_fetched(std::move(fresh), batch);
        return record_outcomes(std::move(batch), is_done);
    }
    template <class IsDone>
    Offsets give_due(IsDone is_done, std::size_t max = 100) {
        std::vector<Message> batch;
        queues_->take_due(now_, max, batch);
        return record_outcomes(std::move(batch), is_done);
    }
    template <class IsDone>
    Offsets record_outcomes(std::vector<Message> batch, IsDone is_done) {
        const Offsets handled = offsets(batch);
        std::vector<bool> done;
        for (const std::int64_t offset : handled) done.push_back(is_done(offset));
        queues_->record_outcomes(std::move(batch), done, now_, chance_);
        return handled;
    }
    // Returns the offset up to which the partition is done; -1 if it has not changed.
    std::int64_t done_up_to() {
        const PartitionChanges changes = queues_->changes();
        EXPECT_LE(changes.done.size(), 1u);
        return changes.done.empty() ? -1 : changes.done[0].offset;
    }
    static bool all(std::int64_t) { return true; }
    static bool none(std::int64_t) { return false; }

    Instant now_ = start;
    double chance_ = 0;  // shortens no backoff
    std::optional<PartitionQueues> queues_{limits};
};

// After a rebalance the uncommitted messages are delivered again, from any message on. Each of them
// may be done, failed, or waiting behind a failed one.
TEST_F(LanesOfAConsumer, HaveOnePlaceForAMessageThatIsGivenAgain) {
    for (std::int64_t count = 1; count <= 3; ++count) {
        for (std::int64_t from = 0; from < count; ++from) {
            for (unsigned failed = 0; failed < 8; ++failed) {
                queues_.emplace(limits);
                const auto is_done = [&](std::int64_t offset) {
                    return (failed >> offset & 1) == 0;
                };
                give(messages(0, count), is_done);
                const auto what =
                    fmt::format("{} messages, again from {}, failed {:b}", count, from, failed);
                const std::int64_t first_done = done_up_to();
                give(messages(from, count), all);
                now_ = now_ + seconds(2);
                give_due(all);
                EXPECT_EQ(std::max(done_up_to(), first_done), count - 1) << what;
                EXPECT_EQ(queues_->held(), 0u) << what;
                EXPECT_EQ(queues_->until_due(now_), std::nullopt) << what;
                EXPECT_THAT(give(messages(count, count + 1), all), ElementsAre(count)) << what;
                EXPECT_EQ(done_up_to(), count) << what;
            }
        }
    }
}

TEST_F(LanesOfAConsumer, HandleALastMessageThatIsGivenAgainAtOnce) {
    EXPECT_THAT(give(messages(0, 1), none), ElementsAre(0));
    EXPECT_THAT(give(messages(0, 1), all), ElementsAre(0)) << "nothing of its key is held now";
    EXPECT_EQ(done_up_to(), 0);
}

TEST_F(LanesOfAConsumer, AreFullAtTheirLimitAndNotBefore) {
    give(messages(0, 3), none);
    EXPECT_THAT(queues_->changes().pauses, IsEmpty()) << "three of four";
    give(messages(3, 4), none);
    const PartitionChanges full = queues_->changes();
    ASSERT_EQ(full.pauses.size(), 1u);
    EXPECT_TRUE(full.pauses[0].paused);
    EXPECT_THAT(queues_->changes().pauses, IsEmpty()) << "told once";
    now_ = now_ + milliseconds(20);
    EXPECT_THAT(give_due(all), ElementsAre(0, 1, 2, 3));
    const PartitionChanges empty = queues_->changes();
    ASSERT_EQ(empty.pauses.size(), 1u);
    EXPECT_FALSE(empty.pauses[0].paused);
    EXPECT_EQ(empty.done.at(0).offset, 3);
}

// A rebalance drops the pause of the subscription, so the partition must be paused again.
TEST_F(LanesOfAConsumer, ArePausedAnewAfterARebalance) {
    give(messages(0, 4), none);
    EXPECT_EQ(queues_->changes().pauses.size(), 1u);
    give(messages(0, 4), none);
    const PartitionChanges again = queues_->changes();
    ASSERT_EQ(again.pauses.size(), 1u);
    EXPECT_TRUE(again.pauses[0].paused);
}

TEST_F(LanesOfAConsumer, GiveWhoWaitedLongestFirstAndKeepTheOrderOfAKey) {
    give({message(0, "a")}, none);
    now_ = now_ + milliseconds(5);
    give({message(0, "b", 1), message(1, "b", 1)}, none);
    give({message(1, "a")}, none);
    EXPECT_EQ(queues_->held(), 4u);
    EXPECT_EQ(queues_->until_due(now_), milliseconds(15));
    now_ = now_ + milliseconds(20);
    std::vector<Message> batch;
    queues_->take_due(now_, 3, batch);
    ASSERT_EQ(batch.size(), 3u);
    EXPECT_EQ(batch[0].partition, 0);
    EXPECT_THAT(offsets(batch), ElementsAre(0, 1, 0));
    EXPECT_EQ(queues_->held(), 1u);
    record_outcomes(std::move(batch), all);
    EXPECT_THAT(give_due(all), ElementsAre(1));
    EXPECT_EQ(queues_->changes().done.size(), 2u);
}

TEST_F(LanesOfAConsumer, GiveKeysThatFailedTogetherAgainTogether) {
    chance_ = 0.5;
    give(messages(0, 2), none);
    EXPECT_EQ(queues_->until_due(now_), milliseconds(15));
    now_ = now_ + milliseconds(15);
    EXPECT_THAT(give_due(all), ElementsAre(0, 1));
}

TEST_F(LanesOfAConsumer, BackOffOfAKeyBeginsAnewOnceItIsDone) {
    give(messages(0, 1), none);
    for (const auto backoff : {milliseconds(20), milliseconds(40)}) {
        EXPECT_EQ(queues_->until_due(now_), backoff);
        now_ = now_ + backoff;
        EXPECT_EQ(queues_->until_due(now_), Duration::zero());
        EXPECT_THAT(give_due(none), ElementsAre(0));
    }
    now_ = now_ + milliseconds(80);
    EXPECT_THAT(give_due(all), ElementsAre(0));
    EXPECT_EQ(queues_->until_due(now_), std::nullopt);
    give({message(1, "a")}, none);
    EXPECT_EQ(queues_->until_due(now_), milliseconds(20));
}

TEST(PartitionQueuesInBytes, PauseWhenTheHeldMessagesAreLarge) {
    PartitionQueues queues(
        {.slots_max = 100, .held_bytes_max = 1000, .backoff = {milliseconds(20), seconds(2)}});
    const auto hold = [&](std::int64_t offset, std::size_t bytes) {
        std::vector<Message> fresh = {message(offset, fmt::to_string(offset))};
        fresh[0].value = std::string(bytes, 'x');
        std::vector<Message> batch;
        queues.add_fetched(std::move(fresh), batch);
        queues.record_outcomes(std::move(batch), {false}, start, 0.0);
    };
    hold(0, 900);
    EXPECT_THAT(queues.changes().pauses, IsEmpty());
    ASSERT_EQ(queues.changes(true).pauses.size(), 1u) << "when memory is short";
    ASSERT_EQ(queues.changes(false).pauses.size(), 1u);
    hold(1, 100);
    ASSERT_EQ(queues.changes().pauses.size(), 1u);
    EXPECT_GE(queues.held_bytes(), 1000u);
    std::vector<Message> due;
    queues.take_due(start + seconds(1), 100, due);
    EXPECT_EQ(due.size(), 2u);
    EXPECT_EQ(queues.held_bytes(), 0u);
    EXPECT_FALSE(queues.changes().pauses.at(0).paused);
}

}  // namespace
}  // namespace trackops::bus
