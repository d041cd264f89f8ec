#include "platform/bus/partition.hpp"

#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace trackops::bus {
namespace {

// The test vectors of Kafka's own hash test.
TEST(Partition, HashesAsKafkaDoes) {
    const auto hash = [](std::string_view key) { return static_cast<std::int32_t>(murmur2(key)); };
    EXPECT_EQ(hash("21"), -973932308);
    EXPECT_EQ(hash("foobar"), -790332482);
    EXPECT_EQ(hash("a-little-bit-long-string"), -985981536);
    EXPECT_EQ(hash("a-little-bit-longer-string"), -1486304829);
    EXPECT_EQ(hash("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), -58897971);
    EXPECT_EQ(hash("abc"), 479470107);
}

TEST(Partition, IsThePositiveRemainder) {
    EXPECT_EQ(partition_of("foobar", 7), (-790332482 & 0x7fffffff) % 7);
    std::set<std::int32_t> seen;
    for (int i = 0; i < 100; ++i) seen.insert(partition_of(fmt::format("key-\xff-{}", i), 3));
    EXPECT_EQ(seen, (std::set<std::int32_t>{0, 1, 2}));
    EXPECT_EQ(partition_of("anything", 1), 0);
}

}  // namespace
}  // namespace trackops::bus
