// The contract of SessionStore, tested with each adapter.
#include <chrono>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hex.hpp"
#include "platform/access/memory_session_store.hpp"
#include "platform/redis/redis_fixture.hpp"
#include "platform/redis/session_store.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/fakes.hpp"

namespace trackops::cache {
namespace {

using access::KeptSession;
using access::Session;
using access::SessionKey;
using access::SessionStore;
using namespace std::chrono_literals;
using ::testing::UnorderedElementsAre;

constexpr access::SessionTimes times{.idle_max = 10min, .age_max = 1h};
constexpr Duration timeout = 20s;  // a busy machine must not look like a failure

class SessionStoreContract : public ::testing::TestWithParam<std::string> {
protected:
    SessionStoreContract() {
        if (!is_redis()) {
            store_ = std::make_unique<access::MemorySessionStore>(times, clock_);
            return;
        }
        store_ = make_redis_session_store(parse_redis_target(redis_url()), times, timeout, clock_,
                                          metrics_);
        outside_ = std::make_unique<RedisClient>(port_of(redis_url()));
    }
    static bool is_redis() { return GetParam() == "redis"; }
    Session session(const std::string& name) const {
        return {.operator_name = name,
                .mark = "mark",
                .created_at = clock_.now(),
                .last_seen_at = clock_.now(),
                .ends_at = clock_.now() + times.age_max,
                .from = "192.0.2.1"};
    }
    SessionKey added(const std::string& name) {
        const SessionKey key = access::key_of_session(access::make_session_id().reveal());
        EXPECT_TRUE(store_->add(key, session(name)).has_value());
        return key;
    }
    std::optional<Session> find(const SessionKey& key) {
        const SessionKey keys[] = {key};
        const auto found = store_->find(keys);
        EXPECT_TRUE(found.has_value());
        return found ? found->front() : std::nullopt;
    }
    std::vector<SessionKey> keys_of(const std::string& name) {
        const std::string names[] = {name};
        std::vector<SessionKey> keys;
        const auto all = store_->of_operators(names);
        for (const KeptSession& one : all.value()) keys.push_back(one.key);
        return keys;
    }
    // Lets time pass for the store and, in Redis, for its keys.
    void pass(Duration time, std::initializer_list<SessionKey> keys) {
        clock_.advance(time);
        for (const SessionKey& key : keys) {
            if (outside_) outside_->age("trackops:session:" + hex(key), time);
        }
    }

    trackops::testing::FakeClock clock_;
    telemetry::Registry metrics_;
    std::unique_ptr<SessionStore> store_;
    std::unique_ptr<RedisClient> outside_;
    // Nobody else's operators and subjects, in a server that others use.
    const std::string ann_ = "ann-" + access::make_session_id().reveal().substr(0, 16);
    const std::string bob_ = "bob-" + access::make_session_id().reveal().substr(0, 16);
};

TEST_P(SessionStoreContract, FindsWhatItKeeps) {
    const SessionKey key = added(ann_);
    EXPECT_EQ(find(key), session(ann_));
    const SessionKey keys[] = {SessionKey{}, key, SessionKey{1}};
    const auto found = store_->find(keys).value();
    ASSERT_EQ(found.size(), 3u);
    EXPECT_FALSE(found[0] || found[2]);
    EXPECT_EQ(found[1], session(ann_));
}

TEST_P(SessionStoreContract, EndsWhatIsIdleAndNotWhatIsUsed) {
    const SessionKey used = added(ann_);
    const SessionKey idle = added(ann_);
    pass(6min, {used, idle});
    EXPECT_TRUE(find(used));
    pass(6min, {used, idle});
    EXPECT_EQ(find(used)->last_seen_at, clock_.now());
    EXPECT_FALSE(find(idle));
    EXPECT_EQ(keys_of(ann_), std::vector<SessionKey>{used});
}

TEST_P(SessionStoreContract, EndsEverySessionAtItsEnd) {
    const SessionKey key = added(ann_);
    for (int i = 0; i < 7; ++i) {
        pass(8min, {key});
        EXPECT_TRUE(find(key)) << i;
    }
    pass(4min, {key});
    EXPECT_FALSE(find(key));
    EXPECT_TRUE(keys_of(ann_).empty());
}

TEST_P(SessionStoreContract, ListsTheSessionsOfOperatorsAndRenewsNone) {
    const SessionKey first = added(ann_);
    const SessionKey second = added(ann_);
    const SessionKey other = added(bob_);
    pass(6min, {first, second, other});
    EXPECT_THAT(keys_of(ann_), UnorderedElementsAre(first, second));
    const std::string names[] = {ann_, bob_, "ann-nobody"};
    const auto all = store_->of_operators(names).value();
    EXPECT_EQ(all.size(), 3u);
    for (const KeptSession& one : all) {
        // Redis counts the time to live in real milliseconds.
        EXPECT_NEAR(static_cast<double>((clock_.now() - one.session.last_seen_at).count()), 360e6,
                    20e6);
    }
    pass(6min, {first, second, other});
    EXPECT_TRUE(keys_of(ann_).empty());
    EXPECT_TRUE(store_->of_operators({}).value().empty());
}

TEST_P(SessionStoreContract, RemovesWhatIsToldAndOnlyOfThatOperator) {
    const SessionKey first = added(ann_);
    const SessionKey second = added(ann_);
    const SessionKey gone[] = {first};
    ASSERT_TRUE(store_->remove(ann_, gone).has_value());
    EXPECT_FALSE(find(first));
    EXPECT_TRUE(find(second));
    EXPECT_EQ(keys_of(ann_), std::vector<SessionKey>{second});
    ASSERT_TRUE(store_->remove(ann_, gone).has_value());
    ASSERT_TRUE(store_->remove(ann_, {}).has_value());
}

TEST_P(SessionStoreContract, KeepsTheNewestSessionsOfAnOperator) {
    std::vector<SessionKey> keys;
    for (std::size_t i = 0; i < access::sessions_of_operator_max + 2; ++i) {
        keys.push_back(added(ann_));
        clock_.advance(1s);
    }
    const SessionKey other = added(bob_);
    EXPECT_EQ(keys_of(ann_).size(), access::sessions_of_operator_max);
    EXPECT_FALSE(find(keys[0]));
    EXPECT_FALSE(find(keys[1]));
    EXPECT_TRUE(find(keys[2]));
    EXPECT_TRUE(find(other));
}

TEST_P(SessionStoreContract, CountsAttemptsInAWindow) {
    const std::string subject = hex(access::sha256(ann_));
    EXPECT_EQ(store_->count_attempt(subject, 5min)->count, 1);
    const auto second = store_->count_attempt(subject, 5min);
    EXPECT_EQ(second->count, 2);
    EXPECT_GT(second->left_of_window, 4min);
    EXPECT_LE(second->left_of_window, 5min);
    EXPECT_EQ(store_->count_attempt(hex(access::sha256(bob_)), 5min)->count, 1);
    clock_.advance(6min);
    if (outside_) outside_->age("trackops:ratelimit:" + subject, 6min);
    EXPECT_EQ(store_->count_attempt(subject, 5min)->count, 1);
    EXPECT_TRUE(store_->forget_attempts(subject).has_value());
    EXPECT_EQ(store_->count_attempt(subject, 5min)->count, 1);
}

INSTANTIATE_TEST_SUITE_P(Stores, SessionStoreContract, ::testing::Values("memory", "redis"),
                         [](const auto& one) { return one.param; });

TEST(MemorySessionStore, CountsABoundedNumberOfSubjects) {
    trackops::testing::FakeClock clock;
    access::MemorySessionStore store(times, clock);
    for (std::size_t i = 0; i < access::MemorySessionStore::subjects_max; ++i)
        EXPECT_TRUE(store.count_attempt(fmt::format("{:x}", i), 5min).has_value());
    EXPECT_EQ(store.count_attempt("more", 5min).error().code, Errc::overloaded);
    EXPECT_EQ(store.count_attempt("1", 5min)->count, 2);
    clock.advance(6min);
    EXPECT_TRUE(store.count_attempt("more", 5min).has_value());
}

TEST(RedisSessionStore, SaysThatRedisIsAwayAndFindsItAgain) {
    PrivateRedis server;
    trackops::testing::FakeClock clock;
    telemetry::Registry metrics;
    const auto store =
        make_redis_session_store(parse_redis_target(server.url()), times, timeout, clock, metrics);
    const SessionKey keys[] = {SessionKey{}};
    EXPECT_TRUE(store->find(keys).has_value());
    server.kill();
    EXPECT_EQ(store->find(keys).error().code, Errc::unavailable);
    EXPECT_EQ(store->count_attempt("a", 5min).error().code, Errc::unavailable);
    EXPECT_EQ(store->of_operators(std::vector<std::string>{"ann"}).error().code, Errc::unavailable);
    server.start();
    clock.advance(1min);  // beyond every backoff
    EXPECT_TRUE(store->find(keys).has_value());
}

}  // namespace
}  // namespace trackops::cache
