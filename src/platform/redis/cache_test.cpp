// The Redis adapter beyond the contract of Cache: invalidation of the memory, and a Redis that is
// unavailable, slow or answers nonsense.
#include "platform/cache/cache.hpp"

#include <chrono>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/backends/open_cache.hpp"
#include "platform/cache/health.hpp"
#include "platform/redis/link.hpp"
#include "platform/redis/redis_fixture.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/fakes.hpp"

namespace trackops::cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

class RedisCache : public ::testing::Test {
protected:
    RedisCache() {
        // Long timeouts: a busy machine must not look like a failure of the cache. A test that
        // needs a timeout sets short ones.
        options_.connect_timeout = options_.command_timeout = seconds(20);
        options_.prefix = fresh_prefix();
    }
    std::unique_ptr<Cache> opened(const std::string& url) {
        auto cache = backends::open_cache(url, options_, clock_, metrics_);
        EXPECT_TRUE(cache->ping());
        return cache;
    }
    void impatient() { options_.connect_timeout = options_.command_timeout = seconds(1); }
    static std::string value_in(Cache& cache, const std::string& key) {
        return text_of(cache.get({&key, 1}).front());
    }
    static std::string nearby_in(Cache& cache, const std::string& key) {
        return text_of(cache.get_local(key));
    }
    static std::string text_of(const std::optional<Entry>& entry) {
        return entry ? fmt::format("{}:{}", entry->version, entry->value) : "-";
    }
    double metric(std::string_view name) const {
        const std::string text = metrics_.prometheus_text();
        const auto at = text.find(fmt::format("\n{} ", name));
        return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
    }
    double failed_connections() const {
        return metric(R"(trackops_cache_errors_total{kind="connection"})");
    }
    // Makes the next probe due, which finds Redis. If a probe fails on a busy machine, makes one
    // more due.
    bool comes_back(Cache& cache) {
        double failed = failed_connections();
        clock_.advance(CircuitBreaker::wait_max);
        return eventually([&] {
            if (cache.ping()) return true;
            if (const double now = failed_connections(); now > failed) {
                failed = now;
                clock_.advance(CircuitBreaker::wait_max);
            }
            return false;
        });
    }

    trackops::testing::FakeClock clock_;
    telemetry::Registry metrics_;
    Options options_;
};

TEST_F(RedisCache, KeepsEntriesAsOthersMayReadThem) {
    const auto cache = opened(redis_url());
    cache->put("a", {5, "five"}, seconds(30));
    ASSERT_TRUE(cache->ping());
    RedisClient outside(port_of(redis_url()));
    EXPECT_EQ(outside.ask({"GET", options_.prefix + "a"}), "0000000000000000005:five");
    const int left = std::stoi(outside.ask({"PTTL", options_.prefix + "a"}));
    EXPECT_GT(left, 20'000);
    EXPECT_LE(left, 30'000);
}

TEST_F(RedisCache, AForeignValueIsNoEntryAndIsReplaced) {
    const auto cache = opened(redis_url());
    RedisClient outside(port_of(redis_url()));
    for (const char* foreign : {"", "x", "9999999999999999999:overflow", "000000000000000000x:y",
                                "-000000000000000005:negative"}) {
        outside.ask({"SET", options_.prefix + "a", foreign, "PX", "30000"});
        EXPECT_EQ(value_in(*cache, "a"), "-") << foreign;
    }
    EXPECT_EQ(metric(R"(trackops_cache_errors_total{kind="answer"})"), 5);
    outside.ask({"SET", options_.prefix + "a", "not ours at all, not ours", "PX", "30000"});
    cache->put("a", {1, "one"}, seconds(30));
    EXPECT_EQ(value_in(*cache, "a"), "1:one");
    outside.ask({"DEL", options_.prefix + "list"});
    outside.ask({"LPUSH", options_.prefix + "list", "x"});
    cache->put("list", {1, "one"}, seconds(30));
    EXPECT_EQ(value_in(*cache, "list"), "-");
    EXPECT_TRUE(cache->ping());
    EXPECT_EQ(failed_connections(), 0);
    outside.ask({"DEL", options_.prefix + "list"});
}

TEST_F(RedisCache, AnswersFromMemoryUntilAnotherReplicaChangesTheEntry) {
    const auto a = opened(redis_url());
    const auto b = opened(redis_url());
    a->put("x", {1, "one"}, seconds(30));
    ASSERT_TRUE(a->ping() && b->ping());
    EXPECT_EQ(value_in(*b, "x"), "1:one");
    for (int i = 0; i < 10; ++i) EXPECT_EQ(nearby_in(*b, "x"), "1:one");
    EXPECT_EQ(metric(R"(trackops_cache_hits_total{level="memory"})"), 10);
    EXPECT_EQ(metric(R"(trackops_cache_hits_total{level="redis"})"), 1);
    a->put("x", {2, "two"}, seconds(30));
    ASSERT_TRUE(a->ping() && b->ping());
    EXPECT_EQ(nearby_in(*b, "x"), "-");
    EXPECT_EQ(value_in(*b, "x"), "2:two");
    a->remove("x");
    ASSERT_TRUE(a->ping() && b->ping());
    EXPECT_EQ(nearby_in(*b, "x"), "-");
    EXPECT_EQ(value_in(*b, "x"), "-");
}

TEST_F(RedisCache, AWriteThatComesTooLateIsNotSeenInItsOwnMemory) {
    const auto a = opened(redis_url());
    const auto b = opened(redis_url());
    b->put("x", {3, "three"}, seconds(30));
    ASSERT_TRUE(b->ping() && a->ping());
    for (int i = 0; i < 100; ++i) {
        a->put("x", {2, "two"}, seconds(30));
        ASSERT_NE(nearby_in(*a, "x"), "2:two");
        ASSERT_EQ(value_in(*a, "x"), "3:three");
    }
}

// The reply to a read waits in the proxy while another replica writes and this one receives the
// invalidation.
TEST_F(RedisCache, AReadThatWasOvertakenByAChangeIsNotKept) {
    Proxy proxy(port_of(redis_url()));
    const auto a = opened(redis_url());
    a->put("x", {1, "one"}, seconds(30));
    a->put("canary", {1, "one"}, seconds(30));
    ASSERT_TRUE(a->ping());
    // A new connection does not receive earlier invalidations.
    const auto b = opened(proxy.url());
    EXPECT_EQ(value_in(*b, "canary"), "1:one");
    EXPECT_EQ(nearby_in(*b, "canary"), "1:one");
    proxy.set(ProxyRule::delay_replies);
    std::string read;
    std::thread reader([&] { read = value_in(*b, "x"); });
    EXPECT_TRUE(eventually([&] { return proxy.delayed_replies() == 1; }));
    a->put("x", {2, "two"}, seconds(30));
    a->put("canary", {2, "two"}, seconds(30));
    EXPECT_TRUE(eventually([&] { return nearby_in(*b, "canary") == "-"; }));
    proxy.set(ProxyRule::pass);
    reader.join();
    EXPECT_EQ(read, "1:one");  // the value at the time of the read
    EXPECT_EQ(nearby_in(*b, "x"), "-");
    EXPECT_EQ(value_in(*b, "x"), "2:two");
}

TEST_F(RedisCache, AReplicaThatIsDeafUnnoticedIsStaleNoLongerThanItsMemoryLives) {
    Proxy proxy(port_of(redis_url()));
    const auto a = opened(redis_url());
    a->put("x", {1, "one"}, seconds(30));
    ASSERT_TRUE(a->ping());
    // A new connection does not receive earlier invalidations.
    const auto b = opened(proxy.url());
    EXPECT_EQ(value_in(*b, "x"), "1:one");
    proxy.set(ProxyRule::drop_invalidations);
    a->put("x", {2, "two"}, seconds(30));
    ASSERT_TRUE(a->ping() && b->ping());
    EXPECT_EQ(nearby_in(*b, "x"), "1:one");
    clock_.advance(options_.memory_time_to_live);
    EXPECT_EQ(nearby_in(*b, "x"), "-");
    EXPECT_EQ(value_in(*b, "x"), "2:two");
}

TEST_F(RedisCache, TheLocalCacheIsEmptyWithoutInvalidations) {
    options_.memory_time_to_live = seconds(1000);
    Proxy proxy(port_of(redis_url()));
    const auto writer = opened(redis_url());
    writer->put("x", {1, "one"}, seconds(30));
    ASSERT_TRUE(writer->ping());
    // A new connection does not receive earlier invalidations.
    const auto cache = opened(proxy.url());
    EXPECT_EQ(value_in(*cache, "x"), "1:one");
    EXPECT_EQ(nearby_in(*cache, "x"), "1:one");
    proxy.cut_subscribers();
    EXPECT_TRUE(eventually([&] { return failed_connections() == 1; }));
    EXPECT_EQ(nearby_in(*cache, "x"), "-");
    EXPECT_EQ(metric("trackops_cache_breaker_open"), 1);
    EXPECT_TRUE(comes_back(*cache));
    EXPECT_EQ(metric("trackops_cache_breaker_open"), 0);
    EXPECT_EQ(nearby_in(*cache, "x"), "-");  // an entry from before the loss may be stale
    EXPECT_EQ(value_in(*cache, "x"), "1:one");
}

TEST_F(RedisCache, NeedNotBeThereAtStartAndKeepsWhatIsWrittenUntilItIs) {
    PrivateRedis redis;
    redis.kill();
    const auto cache = backends::open_cache(redis.url(), options_, clock_, metrics_);
    EXPECT_FALSE(cache->ping());
    cache->put("x", {1, "one"}, seconds(30));
    cache->put("short", {1, "one"}, milliseconds(50));
    EXPECT_EQ(nearby_in(*cache, "x"), "-");
    EXPECT_EQ(value_in(*cache, "x"), "-");
    EXPECT_EQ(health_component(*cache).ask().status, telemetry::Status::down);
    redis.start();
    EXPECT_TRUE(comes_back(*cache));
    EXPECT_EQ(health_component(*cache).ask().status, telemetry::Status::up);
    EXPECT_EQ(value_in(*cache, "x"), "1:one");
    EXPECT_EQ(value_in(*cache, "short"), "-");  // its time to live passed while Redis was down
    RedisClient outside(redis.port());
    EXPECT_LE(std::stoi(outside.ask({"PTTL", options_.prefix + "x"})), 25'000);
}

TEST_F(RedisCache, AWriteDuringAnOutageReplacesTheEntry) {
    Proxy proxy(port_of(redis_url()));
    const auto a = opened(proxy.url());
    const auto b = opened(redis_url());
    a->put("x", {1, "one"}, seconds(30));
    ASSERT_TRUE(a->ping());
    proxy.cut_subscribers();
    EXPECT_TRUE(eventually([&] { return failed_connections() == 1; }));
    a->put("x", {2, "two"}, seconds(30));
    EXPECT_EQ(value_in(*b, "x"), "1:one");
    EXPECT_TRUE(comes_back(*a));
    EXPECT_TRUE(a->ping() && b->ping());
    EXPECT_EQ(value_in(*b, "x"), "2:two");
}

TEST_F(RedisCache, AnUnansweredWriteIsSentAgain) {
    impatient();
    Proxy proxy(port_of(redis_url()));
    const auto cache = opened(proxy.url());
    proxy.set(ProxyRule::drop_commands);
    cache->put("x", {1, "one"}, seconds(30));
    EXPECT_TRUE(eventually([&] { return failed_connections() == 1; }));
    proxy.set(ProxyRule::pass);
    EXPECT_TRUE(comes_back(*cache));
    EXPECT_EQ(value_in(*cache, "x"), "1:one");
}

TEST_F(RedisCache, OfTooManyWritesWhileRedisIsAwayTheOldestAreDropped) {
    PrivateRedis redis;
    redis.kill();
    const auto cache = backends::open_cache(redis.url(), options_, clock_, metrics_);
    EXPECT_FALSE(cache->ping());
    constexpr int written = RedisLink::queue_max + 100;
    for (int i = 0; i < written; ++i) cache->put(fmt::to_string(i), {1, "v"}, seconds(30));
    EXPECT_EQ(metric(R"(trackops_cache_errors_total{kind="dropped"})"), 100);
    cache->put("large", {1, std::string(RedisLink::queue_bytes_max + 1, 'x')}, seconds(30));
    cache->put("last", {1, "v"}, seconds(30));
    redis.start();
    EXPECT_TRUE(comes_back(*cache));
    EXPECT_EQ(value_in(*cache, "last"), "1:v");
    EXPECT_EQ(value_in(*cache, "large"), "-");
    EXPECT_EQ(value_in(*cache, "99"), "-");
}

TEST_F(RedisCache, SurvivesTheDeathOfRedis) {
    PrivateRedis redis;
    const auto cache = opened(redis.url());
    cache->put("x", {5, "five"}, seconds(30));
    ASSERT_TRUE(cache->ping());
    EXPECT_EQ(value_in(*cache, "x"), "5:five");
    redis.kill();
    EXPECT_TRUE(eventually([&] { return nearby_in(*cache, "x") == "-"; }));
    EXPECT_EQ(value_in(*cache, "x"), "-");
    EXPECT_FALSE(cache->ping());
    redis.start();
    EXPECT_TRUE(comes_back(*cache));
    EXPECT_EQ(value_in(*cache, "x"), "-");  // this Redis does not persist
    cache->put("x", {6, "six"}, seconds(30));
    EXPECT_EQ(value_in(*cache, "x"), "6:six");
}

TEST_F(RedisCache, ASlowRedisCostsOneTimeoutAProbeAndNothingARequest) {
    impatient();
    Proxy proxy(port_of(redis_url()));
    const auto cache = opened(proxy.url());
    proxy.set(ProxyRule::drop_replies);
    EXPECT_EQ(value_in(*cache, "x"), "-");  // waits for the timeout
    EXPECT_EQ(failed_connections(), 1);
    const int connections = proxy.connections();
    const auto began = steady_clock::now();
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(value_in(*cache, "x"), "-");
    EXPECT_LT(steady_clock::now() - began, 1000 * options_.command_timeout / 10);
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(cache->ping());  // waits for a probe in progress
    EXPECT_EQ(failed_connections(), 1);  // the clock stands still, so no probe is due
    EXPECT_EQ(proxy.connections(), connections);

    clock_.advance(CircuitBreaker::wait_min);
    EXPECT_TRUE(eventually([&] { return failed_connections() == 2; }));
    // One probe makes two connections: commands and invalidations.
    EXPECT_TRUE(eventually([&] { return proxy.connections() == connections + 2; }));
    clock_.advance(CircuitBreaker::wait_min);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(value_in(*cache, "x"), "-");
    EXPECT_EQ(failed_connections(), 2);  // the delay is now more than 100 ms
    proxy.set(ProxyRule::pass);
    EXPECT_TRUE(comes_back(*cache));
}

TEST_F(RedisCache, GarbageIsADeadConnection) {
    Proxy proxy(port_of(redis_url()));
    const auto cache = opened(proxy.url());
    cache->put("x", {1, "one"}, seconds(30));
    ASSERT_TRUE(cache->ping());
    proxy.set(ProxyRule::corrupt_replies);
    EXPECT_EQ(value_in(*cache, "x"), "-");
    EXPECT_EQ(failed_connections(), 1);
    clock_.advance(CircuitBreaker::wait_min);
    EXPECT_TRUE(eventually([&] { return failed_connections() == 2; }));  // the login fails, too
    proxy.set(ProxyRule::pass);
    EXPECT_TRUE(comes_back(*cache));
    EXPECT_EQ(value_in(*cache, "x"), "1:one");
}

TEST_F(RedisCache, WritesOnWhenRedisHasForgottenTheScriptOrEverything) {
    PrivateRedis redis;
    const auto cache = opened(redis.url());
    RedisClient outside(redis.port());
    outside.ask({"SCRIPT", "FLUSH"});
    for (int i = 1; i <= 10; ++i) cache->put("x", {i, "v"}, seconds(30));
    ASSERT_TRUE(cache->ping() && cache->ping());
    EXPECT_EQ(value_in(*cache, "x"), "10:v");
    ASSERT_TRUE(cache->ping());
    EXPECT_EQ(value_in(*cache, "x"), "10:v");
    EXPECT_EQ(nearby_in(*cache, "x"), "10:v");
    outside.ask({"FLUSHALL"});
    ASSERT_TRUE(cache->ping());
    EXPECT_EQ(nearby_in(*cache, "x"), "-");
    EXPECT_EQ(failed_connections(), 0);
}

TEST_F(RedisCache, LogsInWithThePasswordOfAFileOrTheUrl) {
    const trackops::testing::TemporaryFolder folder;
    const std::string file = folder.path() + "/password";
    std::ofstream(file) << "open sesame\n";
    PrivateRedis redis({"--requirepass", "open sesame"});
    EXPECT_FALSE(backends::open_cache(redis.url(), options_, clock_, metrics_)->ping());
    EXPECT_FALSE(
        backends::open_cache("redis://:wrong@" + redis.url().substr(8), options_, clock_, metrics_)
            ->ping());
    EXPECT_TRUE(opened(redis.url() + "/3?passwordFile=" + file)->ping());
    EXPECT_TRUE(opened("redis://default:open%20sesame@" + redis.url().substr(8))->ping());
}

TEST_F(RedisCache, UsesTheDatabaseOfItsUrl) {
    PrivateRedis redis;
    const auto cache = opened(redis.url() + "/3");
    cache->put("x", {1, "one"}, seconds(30));
    ASSERT_TRUE(cache->ping());
    EXPECT_EQ(value_in(*cache, "x"), "1:one");
    RedisClient outside(redis.port());
    EXPECT_EQ(outside.ask({"EXISTS", options_.prefix + "x"}), "0");
    outside.ask({"SELECT", "3"});
    EXPECT_EQ(outside.ask({"EXISTS", options_.prefix + "x"}), "1");
}

TEST_F(RedisCache, ServesManyThreadsWhileItsConnectionIsCutAgainAndAgain) {
    Proxy proxy(port_of(redis_url()));
    const auto cache = opened(proxy.url());
    std::atomic<bool> is_done = false;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (std::int64_t version = 1; !is_done; ++version) {
                const std::vector<std::string> keys = {fmt::to_string(t), "shared"};
                cache->put(keys[0], {version, fmt::to_string(version)}, seconds(30));
                cache->put("shared", {version, fmt::to_string(version)}, seconds(30));
                for (const auto& entry : cache->get(keys)) {
                    if (!entry) continue;
                    EXPECT_EQ(entry->value, fmt::to_string(entry->version));
                }
            }
        });
    }
    for (int i = 0; i < 10; ++i) {
        proxy.cut_subscribers();
        EXPECT_TRUE(eventually([&] { return failed_connections() > i; }));
        EXPECT_TRUE(comes_back(*cache));
    }
    is_done = true;
    for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace trackops::cache
