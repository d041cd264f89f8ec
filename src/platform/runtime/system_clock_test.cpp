#include "platform/runtime/system_clock.hpp"

#include <algorithm>
#include <array>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace trackops::runtime {
namespace {

struct HandClock final : Clock {
    Instant time{1'700'000'000'123'456};
    Instant now() const override { return time; }
};

TEST(SystemClock, TellsTheTimeOfDay) {
    const SystemClock clock;
    EXPECT_GT(clock.now(), *Instant::parse("2024-01-01T00:00:00Z"));
    EXPECT_LE(clock.now(), clock.now() + std::chrono::seconds(1));
}

TEST(RandomIds, AreUuidsOfTheClocksMillisecond) {
    const HandClock clock;
    RandomIds ids(clock);
    for (int i = 0; i < 2; ++i) {  // the first id of a millisecond and the next
        const std::string text = ids.next().text();
        EXPECT_EQ(text.substr(0, 13), uuid_v7(clock.now(), 0, 0).text().substr(0, 13));
        EXPECT_EQ(text[14], '7');
        EXPECT_NE(std::string_view("89ab").find(text[19]), std::string_view::npos) << text;
    }
}

TEST(RandomIds, AscendWithinAMillisecondAndWhenTheClockStepsBack) {
    HandClock clock;
    RandomIds ids(clock);
    Uuid last = ids.next();
    for (int i = 0; i < 30'000; ++i) {
        if (i == 10'000) clock.time = clock.time - std::chrono::hours(1);
        if (i == 20'000) clock.time = clock.time + std::chrono::hours(2);
        const Uuid id = ids.next();
        ASSERT_LT(last, id) << i;
        last = id;
    }
}

TEST(RandomIds, LeaveRoomForTheCounterToCarryInto) {
    HandClock clock;
    RandomIds ids(clock);
    for (int ms = 0; ms < 1'000; ++ms) {
        clock.time = clock.time + std::chrono::milliseconds(1);
        ASSERT_EQ(ids.next().bytes[6] & 0x08, 0);  // the top bit of the 12 above the counter
    }
}

TEST(RandomIds, AreNotTheSameInTwoObjects) {
    const HandClock clock;
    RandomIds one(clock);
    RandomIds two(clock);
    EXPECT_NE(one.next(), two.next());
}

TEST(RandomIds, AreUniqueAndAscendingForManyThreads) {
    const SystemClock clock;
    RandomIds ids(clock);
    constexpr std::size_t each = 10'000;
    std::array<std::vector<Uuid>, 4> made;
    {
        std::vector<std::jthread> threads;
        for (auto& mine : made) {
            threads.emplace_back([&] {
                for (std::size_t i = 0; i < each; ++i) mine.push_back(ids.next());
            });
        }
    }
    std::vector<Uuid> all;
    for (const auto& mine : made) {
        EXPECT_TRUE(std::ranges::is_sorted(mine));
        all.insert(all.end(), mine.begin(), mine.end());
    }
    std::ranges::sort(all);
    EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
    EXPECT_EQ(all.size(), each * made.size());
}

}  // namespace
}  // namespace trackops::runtime
