// What every cache promises, asked of each adapter.
#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/cache/cache.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/fakes.hpp"

namespace trackops::cache {
namespace {

using std::chrono::seconds;

class CacheContract : public ::testing::TestWithParam<const char*> {
protected:
    std::string value_of(std::string_view key) {
        const auto entry = cache_->get(key);
        return entry ? fmt::format("{}:{}", entry->version, entry->value) : "-";
    }
    trackops::testing::FakeClock clock_;
    telemetry::Registry metrics_;
    std::unique_ptr<Cache> cache_ = open(GetParam(), {.bytes_max = 1 << 20}, clock_, metrics_);
};

TEST_P(CacheContract, GivesBackWhatWasPut) {
    EXPECT_EQ(value_of("a"), "-");
    cache_->put("a", {1, std::string("\0\xff value", 8)}, seconds(30));
    cache_->put("", {7, ""}, seconds(30));
    EXPECT_EQ(value_of("a"), "1:" + std::string("\0\xff value", 8));
    EXPECT_EQ(value_of(""), "7:");
    EXPECT_TRUE(cache_->ping());
}

TEST_P(CacheContract, NeverReplacesANewerVersionByAnOlder) {
    cache_->put("a", {5, "five"}, seconds(30));
    cache_->put("a", {4, "four"}, seconds(30));
    EXPECT_EQ(value_of("a"), "5:five");
    cache_->put("a", {6, "six"}, seconds(30));
    EXPECT_EQ(value_of("a"), "6:six");
}

TEST_P(CacheContract, RenewsAnEntryOfTheSameVersion) {
    cache_->put("a", {5, "five"}, seconds(30));
    clock_.advance(seconds(20));
    cache_->put("a", {5, "again"}, seconds(30));
    clock_.advance(seconds(20));
    EXPECT_EQ(value_of("a"), "5:again");
}

TEST_P(CacheContract, AnOlderVersionDoesNotLengthenALife) {
    cache_->put("a", {5, "five"}, seconds(30));
    clock_.advance(seconds(20));
    cache_->put("a", {4, "four"}, seconds(30));
    clock_.advance(seconds(10));
    EXPECT_EQ(value_of("a"), "-");
}

TEST_P(CacheContract, ForgetsAfterTheTimeToLive) {
    cache_->put("a", {9, "nine"}, seconds(30));
    clock_.advance(seconds(30) - Duration(1));
    EXPECT_EQ(value_of("a"), "9:nine");
    clock_.advance(Duration(1));
    EXPECT_EQ(value_of("a"), "-");
}

TEST_P(CacheContract, AnExpiredVersionIsNoReasonToRefuseAnOlderOne) {
    cache_->put("a", {9, "nine"}, seconds(30));
    clock_.advance(seconds(31));
    cache_->put("a", {1, "one"}, seconds(30));
    EXPECT_EQ(value_of("a"), "1:one");
}

TEST_P(CacheContract, NeverKeepsWhatLivesForNoTime) {
    cache_->put("a", {1, "one"}, seconds(0));
    EXPECT_EQ(value_of("a"), "-");
}

TEST_P(CacheContract, RemovesAnEntry) {
    cache_->put("a", {9, "nine"}, seconds(30));
    cache_->put("b", {9, "nine"}, seconds(30));
    cache_->remove("a");
    cache_->remove("nobody");
    EXPECT_EQ(value_of("a"), "-");
    EXPECT_EQ(value_of("b"), "9:nine");
}

TEST_P(CacheContract, AReaderNeverSeesAVersionGoBackwardsWhileEightThreadsWrite) {
    constexpr std::int64_t versions = 2000;
    std::atomic<std::int64_t> next = 0;
    std::atomic<int> writing = 8;
    std::vector<std::thread> writers;
    for (int i = 0; i < 8; ++i) {
        writers.emplace_back([&] {
            for (std::int64_t version; (version = ++next) <= versions;) {
                cache_->put("hot", {version, fmt::to_string(version)}, seconds(30));
            }
            --writing;
        });
    }
    std::int64_t seen = 0;
    bool went_backwards = false;
    bool is_torn = false;
    do {
        const auto entry = cache_->get("hot");
        if (!entry) continue;
        went_backwards |= entry->version < seen;
        is_torn |= entry->value != fmt::to_string(entry->version);
        seen = entry->version;
    } while (writing > 0);
    for (std::thread& writer : writers) writer.join();
    EXPECT_FALSE(went_backwards);
    EXPECT_FALSE(is_torn);
    EXPECT_EQ(value_of("hot"), fmt::format("{0}:{0}", versions));
}

INSTANTIATE_TEST_SUITE_P(Caches, CacheContract, ::testing::Values("embedded:"));

class EmbeddedCache : public ::testing::Test {
protected:
    double metric(std::string_view name) const {
        const std::string text = metrics_.prometheus_text();
        const auto at = text.find(fmt::format("\n{} ", name));
        return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
    }
    trackops::testing::FakeClock clock_;
    telemetry::Registry metrics_;
};

TEST_F(EmbeddedCache, StaysWithinItsBytesAndKeepsWhatIsUsed) {
    const auto cache = open("embedded:", {.bytes_max = 256 * 1024}, clock_, metrics_);
    cache->put("used", {1, "value"}, seconds(30));
    for (int i = 0; i < 5000; ++i) {
        cache->put(fmt::format("key-{}", i), {1, std::string(400, 'x')}, seconds(30));
        ASSERT_TRUE(cache->get("used")) << i;
    }
    EXPECT_FALSE(cache->get("key-0"));
    EXPECT_TRUE(cache->get("key-4999"));
    EXPECT_LE(metric("trackops_cache_bytes"), 256 * 1024);
    EXPECT_GT(metric("trackops_cache_entries"), 200);
    EXPECT_EQ(metric("trackops_cache_evictions_total") + metric("trackops_cache_entries"), 5001);
}

TEST_F(EmbeddedCache, DoesNotKeepWhatIsLargerThanItsShare) {
    const auto cache = open("embedded:", {.bytes_max = 64 * 1024}, clock_, metrics_);
    cache->put("large", {1, std::string(100'000, 'x')}, seconds(30));
    EXPECT_FALSE(cache->get("large"));
    EXPECT_EQ(metric("trackops_cache_bytes"), 0);
}

TEST_F(EmbeddedCache, CountsHitsAndMisses) {
    auto cache = open("embedded:", {}, clock_, metrics_);
    cache->put("a", {1, "one"}, seconds(30));
    cache->get("a");
    cache->get("a");
    cache->get("b");
    EXPECT_EQ(metric("trackops_cache_hits_total"), 2);
    EXPECT_EQ(metric("trackops_cache_misses_total"), 1);
    cache.reset();
    metrics_.prometheus_text();  // asks nothing of a cache that is gone
}

TEST(CacheUrl, IsRefusedWithWhatIsWrongWithIt) {
    const trackops::testing::FakeClock clock;
    telemetry::Registry metrics;
    const auto why = [&](std::string_view url) -> std::string {
        try {
            open(url, {}, clock, metrics);
            return "";
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
    };
    EXPECT_THAT(why("redis://localhost:6379"),
                ::testing::HasSubstr("comes with the Redis adapter"));
    EXPECT_THAT(why("rediss://localhost"), ::testing::HasSubstr("TLS"));
    EXPECT_THAT(why("memcached://x"), ::testing::HasSubstr("'memcached://x'"));
}

}  // namespace
}  // namespace trackops::cache
