// The contract of Cache, tested with each adapter.
#include <algorithm>
#include <atomic>
#include <limits>
#include <stdexcept>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/backends/open_cache.hpp"
#include "platform/cache/cache.hpp"
#include "platform/redis/redis_fixture.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/fakes.hpp"

namespace trackops::cache {
namespace {

using namespace std::string_literals;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

struct Kind {
    std::string name;
    bool is_redis = false;
    bool has_two_replicas = false;
};

// Writes go through one replica and reads through the other, or through the same one if there is
// only one.
class CacheContract : public ::testing::TestWithParam<Kind> {
protected:
    CacheContract() {
        // Long timeouts: a busy machine must not look like a failure of the cache.
        options_.connect_timeout = options_.command_timeout = seconds(20);
        options_.bytes_max = 64 * 1024 * 1024;
        options_.prefix = fresh_prefix();
        const std::string url = GetParam().is_redis ? redis_url() : "embedded:";
        if (GetParam().is_redis) outside_ = std::make_unique<RedisClient>(port_of(url));
        cache_ = backends::open_cache(url, options_, clock_, metrics_);
        EXPECT_TRUE(cache_->ping());
        if (!GetParam().has_two_replicas) return;
        second_ = backends::open_cache(url, options_, clock_, metrics_);
        EXPECT_TRUE(second_->ping());
    }
    Cache& reader() { return second_ ? *second_ : *cache_; }
    // Waits until both replicas have seen every earlier write.
    void settle() {
        for (int i = 0; second_ && i < 2; ++i) EXPECT_TRUE(cache_->ping() && second_->ping());
    }
    std::string value_of(std::string_view key) {
        settle();
        return value_in(reader(), key);
    }
    static std::string value_in(Cache& cache, std::string_view key) {
        const std::string text(key);
        const auto entry = cache.get({&text, 1}).front();
        return entry ? fmt::format("{}:{}", entry->version, entry->value) : "-";
    }
    void pass(Duration time) {
        EXPECT_TRUE(cache_->ping());  // earlier writes are done
        clock_.advance(time);
        if (outside_) outside_->age(options_.prefix, time);
    }

    trackops::testing::FakeClock clock_;
    telemetry::Registry metrics_;
    Options options_;
    std::unique_ptr<RedisClient> outside_;
    std::unique_ptr<Cache> cache_;
    std::unique_ptr<Cache> second_;
};

TEST_P(CacheContract, ReturnsThePutEntry) {
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
    pass(seconds(20));
    cache_->put("a", {5, "again"}, seconds(30));
    pass(seconds(20));
    EXPECT_EQ(value_of("a"), "5:again");
}

TEST_P(CacheContract, AnOlderVersionDoesNotLengthenALife) {
    cache_->put("a", {5, "five"}, seconds(30));
    pass(seconds(20));
    cache_->put("a", {4, "four"}, seconds(30));
    pass(seconds(10));
    EXPECT_EQ(value_of("a"), "-");
}

TEST_P(CacheContract, ForgetsAfterTheTimeToLive) {
    cache_->put("a", {9, "nine"}, seconds(30));
    pass(seconds(25));
    EXPECT_EQ(value_of("a"), "9:nine");
    pass(seconds(5));
    EXPECT_EQ(value_of("a"), "-");
}

TEST_P(CacheContract, AnExpiredVersionIsNoReasonToRefuseAnOlderOne) {
    cache_->put("a", {9, "nine"}, seconds(30));
    pass(seconds(31));
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
        const std::string key = "hot";
        const auto entry = reader().get({&key, 1}).front();
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

TEST_P(CacheContract, AnOlderVersionWinsInNoOrderOfTwoWriters) {
    std::vector<std::int64_t> versions = {1, 2, 3};
    int count = 0;
    do {
        for (unsigned writers = 0; writers < 8; ++writers) {
            const std::string key = fmt::to_string(++count);
            for (unsigned i = 0; i < 3; ++i) {
                Cache& writer = (writers >> i & 1U) != 0 ? reader() : *cache_;
                writer.put(key, {versions[i], "v"}, seconds(30));
                ASSERT_TRUE(writer.ping());  // the next write comes after it
            }
            settle();
            EXPECT_EQ(value_in(*cache_, key), "3:v") << fmt::format("{} {}", count, writers);
            EXPECT_EQ(value_in(reader(), key), "3:v") << fmt::format("{} {}", count, writers);
        }
    } while (std::ranges::next_permutation(versions).found);
    EXPECT_EQ(count, 48);
}

TEST_P(CacheContract, ANewerVersionWithoutALifeLeavesNothingOlder) {
    cache_->put("a", {1, "one"}, seconds(30));
    EXPECT_EQ(value_of("a"), "1:one");
    cache_->put("a", {2, "two"}, -seconds(1));
    EXPECT_EQ(value_of("a"), "-");
}

TEST_P(CacheContract, KeysAndValuesAreBytesOfAnySize) {
    const std::string key = "\r\n\0*1 {\xff}"s;
    const std::string value = "\0\r\n$5\r\n"s + std::string(1'000'000, '\xfe');
    cache_->put(key, {std::numeric_limits<std::int64_t>::max(), value}, seconds(30));
    EXPECT_EQ(value_of(key), "9223372036854775807:" + value);
    EXPECT_EQ(value_of(key.substr(0, 2)), "-");
    cache_->put(key, {1, "older"}, seconds(30));
    EXPECT_EQ(value_of(key), "9223372036854775807:" + value);
    cache_->remove(key);
    EXPECT_EQ(value_of(key), "-");
}

TEST_P(CacheContract, AnswersManyKeysInTheirOrder) {
    std::vector<std::string> keys;
    for (int i = 0; i < 1000; ++i) {
        keys.push_back(fmt::to_string(i));
        if (i % 3 != 0) cache_->put(keys.back(), {i, keys.back()}, seconds(30));
    }
    settle();
    const auto found = reader().get(keys);
    ASSERT_EQ(found.size(), keys.size());
    for (int i = 0; i < 1000; ++i) {
        ASSERT_EQ(found[i].has_value(), i % 3 != 0) << i;
        if (found[i]) {
            EXPECT_EQ(found[i]->value, keys[i]);
        }
    }
    EXPECT_TRUE(reader().get({}).empty());
}

TEST_P(CacheContract, ARemoteReadFillsTheLocalCache) {
    EXPECT_FALSE(reader().get_local("a"));
    cache_->put("a", {1, "one"}, seconds(30));
    EXPECT_TRUE(cache_->ping());  // the invalidation has arrived
    EXPECT_EQ(value_of("a"), "1:one");
    ASSERT_TRUE(reader().get_local("a"));  // filled by the read
    EXPECT_EQ(reader().get_local("a")->value, "one");
    cache_->put("a", {2, "two"}, seconds(30));
    settle();
    const auto get_local = reader().get_local("a");
    EXPECT_TRUE(!get_local || get_local->version == 2);
    EXPECT_EQ(value_of("a"), "2:two");
}

INSTANTIATE_TEST_SUITE_P(Caches, CacheContract,
                         ::testing::Values(Kind{"embedded"}, Kind{"redis", true},
                                           Kind{"two_replicas_on_redis", true, true}),
                         [](const auto& kind) { return kind.param.name; });

class EmbeddedCache : public ::testing::Test {
protected:
    double metric(std::string_view name) const {
        const std::string text = metrics_.prometheus_text();
        const auto at = text.find(fmt::format("\n{} ", name));
        return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
    }
    static bool has(Cache& cache, const std::string& key) {
        return cache.get({&key, 1}).front().has_value();
    }
    trackops::testing::FakeClock clock_;
    telemetry::Registry metrics_;
};

TEST_F(EmbeddedCache, StaysWithinItsBytesAndKeepsWhatIsUsed) {
    const auto cache =
        backends::open_cache("embedded:", {.bytes_max = 256 * 1024}, clock_, metrics_);
    cache->put("used", {1, "value"}, seconds(30));
    for (int i = 0; i < 5000; ++i) {
        cache->put(fmt::format("key-{}", i), {1, std::string(400, 'x')}, seconds(30));
        ASSERT_TRUE(has(*cache, "used")) << i;
    }
    EXPECT_FALSE(has(*cache, "key-0"));
    EXPECT_TRUE(has(*cache, "key-4999"));
    EXPECT_LE(metric("trackops_cache_bytes"), 256 * 1024);
    EXPECT_GT(metric("trackops_cache_entries"), 200);
    EXPECT_EQ(metric("trackops_cache_evictions_total") + metric("trackops_cache_entries"), 5001);
}

TEST_F(EmbeddedCache, DoesNotKeepWhatIsLargerThanItsShare) {
    const auto cache =
        backends::open_cache("embedded:", {.bytes_max = 64 * 1024}, clock_, metrics_);
    cache->put("large", {1, std::string(100'000, 'x')}, seconds(30));
    EXPECT_FALSE(has(*cache, "large"));
    EXPECT_EQ(metric("trackops_cache_bytes"), 0);
}

TEST_F(EmbeddedCache, CountsHitsAndMisses) {
    auto cache = backends::open_cache("embedded:", {}, clock_, metrics_);
    cache->put("a", {1, "one"}, seconds(30));
    EXPECT_TRUE(has(*cache, "a"));
    EXPECT_TRUE(cache->get_local("a"));
    EXPECT_FALSE(has(*cache, "b"));
    EXPECT_FALSE(cache->get_local("b"));  // not counted: get() follows and counts
    EXPECT_EQ(metric(R"(trackops_cache_hits_total{level="memory"})"), 2);
    EXPECT_EQ(metric("trackops_cache_misses_total"), 1);
    cache.reset();
    metrics_.prometheus_text();  // the callback does not use the destroyed cache
}

TEST(CacheUrl, IsRefusedWithWhatIsWrongWithIt) {
    const trackops::testing::FakeClock clock;
    telemetry::Registry metrics;
    const auto why = [&](std::string_view url) -> std::string {
        try {
            backends::open_cache(url, {}, clock, metrics);
            return "";
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
    };
    EXPECT_THAT(why("redis://:secret@localhost:nowhere"),
                ::testing::AllOf(HasSubstr("port"), Not(HasSubstr("secret"))));
    EXPECT_THAT(why("redis:/:secret@x"),
                ::testing::AllOf(HasSubstr("'redis:...'"), Not(HasSubstr("secret"))));
    EXPECT_THAT(why("rediss://localhost"), HasSubstr("TLS"));
    EXPECT_THAT(why("memcached://x"), HasSubstr("'memcached://x'"));
}

}  // namespace
}  // namespace trackops::cache
