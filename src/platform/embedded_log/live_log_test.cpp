#include "platform/embedded_log/live_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trackops::bus {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

LiveLog::Arrival arrival(std::int64_t partition_id, std::int64_t offset) {
    Message message;
    message.topic = "t";
    message.partition = static_cast<std::int32_t>(partition_id);
    message.offset = offset;
    return {partition_id, std::make_shared<const Message>(std::move(message))};
}

// The partitions of the messages, in order.
std::vector<std::int32_t> partitions(const LiveLog::FetchResult& fetched) {
    std::vector<std::int32_t> all;
    for (const SharedMessage& message : fetched.messages) all.push_back(message->partition);
    return all;
}

// The messages of partition 1 are on disk only. Partition 0 has new ones all the time.
TEST(LiveLog, ServesAPartitionThatMemoryHasForgottenNextAlthoughAnotherIsBusy) {
    LiveLog log(1024 * 1024);
    log.add(std::vector<StoredPartition>{{0, "t", 0, 0, 0}, {1, "t", 1, 0, 5}, {2, "t", 2, 0, 0}});
    LiveLog::Member& member = log.join("group", std::vector<std::string>{"t"});
    log.append(std::vector{arrival(0, 0)});
    const auto first = log.take(member, 10);
    EXPECT_THAT(partitions(first), ElementsAre(0));
    EXPECT_FALSE(first.behind);
    log.append(std::vector{arrival(0, 1), arrival(2, 0)});
    const auto second = log.take(member, 10);
    EXPECT_THAT(partitions(second), IsEmpty());
    ASSERT_TRUE(second.behind);
    EXPECT_EQ(second.behind->number, 1);
    EXPECT_EQ(second.from, 0);
    ASSERT_TRUE(log.advance(member, 1, 0, 5));
    EXPECT_THAT(partitions(log.take(member, 10)), ElementsAre(2, 0));
}

}  // namespace
}  // namespace trackops::bus
