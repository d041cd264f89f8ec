#include "platform/runtime/pump_threads.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/fakes.hpp"

namespace trackops::runtime {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

constexpr auto long_wait = 20s;  // a test that waits this long has failed

// Calls the test's function in each run().
class Scripted final : public Pump {
public:
    explicit Scripted(std::function<Progress(int call)> script) : script_(std::move(script)) {}
    Progress run(Duration) override {
        struct Count {
            std::counting_semaphore<>& calls;
            ~Count() { calls.release(); }
        } const count{calls_};
        return script_(++call_);
    }
    bool has_run_again() { return calls_.try_acquire_for(long_wait); }

private:
    std::function<Progress(int call)> script_;
    std::atomic<int> call_ = 0;
    std::counting_semaphore<> calls_{0};
};

// Waits inside run() for one wake, without a time limit.
class Waits final : public Pump {
public:
    Progress run(Duration) override {
        std::unique_lock lock(mutex_);
        inside.release();
        if (!changed_.wait_for(lock, long_wait, [this] { return woken_; })) waited_in_vain = true;
        woken_ = false;
        return {};
    }
    void wake() override {
        {
            const std::scoped_lock lock(mutex_);
            woken_ = true;
        }
        changed_.notify_all();
    }
    std::counting_semaphore<> inside{0};
    std::atomic<bool> waited_in_vain = false;

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool woken_ = false;
};

TEST(PumpThreads, CallAPumpUntilStopped) {
    telemetry::Registry metrics;
    Scripted pump([](int) { return Progress{}; });
    PumpThreads threads(metrics);
    threads.add("busy", pump);
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(pump.has_run_again());
    threads.stop();
    threads.stop();
    EXPECT_THROW(threads.add("late", pump), std::logic_error);
}

TEST(PumpThreads, EndASleepWhenThePumpIsWoken) {
    telemetry::Registry metrics;
    Scripted pump([](int) { return Progress{0, 1h}; });
    PumpThreads threads(metrics);
    threads.add("sleeper", pump);
    ASSERT_TRUE(pump.has_run_again());
    threads.wake(pump);
    EXPECT_TRUE(pump.has_run_again());
}

TEST(PumpThreads, DoNotSleepOverAWakeDuringTheRun) {
    telemetry::Registry metrics;
    std::function<void()> wake;
    Scripted pump([&](int call) {
        if (call == 1) wake();  // work arrives too late for this call to see it
        return Progress{0, 1h};
    });
    PumpThreads threads(metrics);
    wake = [&] { threads.wake(pump); };
    threads.add("sleeper", pump);
    ASSERT_TRUE(pump.has_run_again());
    EXPECT_TRUE(pump.has_run_again());
}

TEST(PumpThreads, StopWhatSleepsAndWhatWaits) {
    telemetry::Registry metrics;
    Scripted sleeper([](int) { return Progress{0, 1h}; });
    Waits waits;
    const auto start = std::chrono::steady_clock::now();
    {
        PumpThreads threads(metrics);
        threads.add("sleeper", sleeper);
        threads.add("waits", waits);
        ASSERT_TRUE(sleeper.has_run_again());
        waits.inside.acquire();
    }
    EXPECT_FALSE(waits.waited_in_vain);
    EXPECT_LT(std::chrono::steady_clock::now() - start, long_wait);
}

TEST(PumpThreads, StopAllThreadsOfOnePumpThatKeepsASingleWake) {
    telemetry::Registry metrics;
    Waits waits;
    Scripted between([](int) { return Progress{0, 1h}; });
    {
        PumpThreads threads(metrics);
        threads.add("first", waits);
        threads.add("between", between);
        threads.add("second", waits);
        threads.add("third", waits);
        for (int i = 0; i < 3; ++i) waits.inside.acquire();
    }
    EXPECT_FALSE(waits.waited_in_vain);
}

TEST(PumpThreads, StopInTheReverseOrder) {
    telemetry::Registry metrics;
    std::mutex mutex;
    std::vector<char> woken;
    struct Named final : Pump {
        Named(char pump_name, std::mutex& pump_mutex, std::vector<char>& pump_woken)
            : name(pump_name), mutex(pump_mutex), woken(pump_woken) {}
        Progress run(Duration) override { return {0, 1h}; }
        void wake() override {
            const std::scoped_lock lock(mutex);
            if (woken.empty() || woken.back() != name) woken.push_back(name);
        }
        char name;
        std::mutex& mutex;
        std::vector<char>& woken;
    };
    Named a('a', mutex, woken);
    Named b('b', mutex, woken);
    Named c('c', mutex, woken);
    PumpThreads threads(metrics);
    threads.add("a", a);
    threads.add("b", b);
    threads.add("c", c);
    threads.stop();
    EXPECT_THAT(woken, ElementsAre('c', 'b', 'a'));
}

TEST(PumpThreads, CountAndLogFailuresAndBackOff) {
    telemetry::Registry metrics;
    telemetry::configure_log("test", telemetry::Level::warn, true);
    ::testing::internal::CaptureStderr();
    std::array<std::chrono::steady_clock::time_point, 6> called;
    std::function<void()> wake;
    Scripted pump([&](int call) -> Progress {
        called.at(static_cast<std::size_t>(call)) = std::chrono::steady_clock::now();
        wake();  // does not shorten a backoff
        if (call == 1) throw std::runtime_error("database away");
        if (call == 2) throw 7;
        if (call == 4) throw std::runtime_error("away again");
        return {0, call == 5 ? Duration(1h) : Duration::zero()};
    });
    trackops::testing::FixedChance chance;
    PumpThreads threads(metrics, chance);
    wake = [&] {
        if (called[5] == std::chrono::steady_clock::time_point{}) threads.wake(pump);
    };
    threads.add("order placing pump", pump);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(pump.has_run_again());
    threads.stop();
    const std::string log = ::testing::internal::GetCapturedStderr();
    EXPECT_THAT(log,
                ::testing::ContainsRegex(
                    R"("pump":"order placing pump","error":"database away","again_in_ms":"100"(.|
)*"error":"something that is not a std::exception","again_in_ms":"200"(.|
)*"error":"away again","again_in_ms":"100")"));
    EXPECT_GE(called[2] - called[1], 100ms);
    EXPECT_GE(called[3] - called[2], 200ms);
    EXPECT_EQ(metrics.counter("trackops_pump_failures_total", "", {{"pump", "order placing pump"}})
                  .value(),
              3);
}

TEST(PumpThreads, TellWhatEachHasDoneAndDoes) {
    telemetry::Registry metrics;
    telemetry::configure_log("test", telemetry::Level::off, true);
    std::counting_semaphore<> go_on{0};
    Scripted pump([&](int call) -> Progress {
        if (call == 1) throw std::runtime_error("away");
        if (call == 3) go_on.acquire();
        return {5, call == 2 ? Duration::zero() : Duration(1h)};
    });
    trackops::testing::FixedChance chance;
    PumpThreads threads(metrics, chance);
    EXPECT_TRUE(threads.states().empty());
    threads.add("pump", pump);
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(pump.has_run_again());
    const auto end = std::chrono::steady_clock::now() + long_wait;
    while (threads.states().at(0).runs < 2) ASSERT_LT(std::chrono::steady_clock::now(), end);
    while (!threads.states().at(0).is_running) ASSERT_LT(std::chrono::steady_clock::now(), end);
    const PumpState inside = threads.states().at(0);
    EXPECT_EQ(inside.name, "pump");
    EXPECT_EQ(inside.runs, 2U);
    EXPECT_EQ(inside.done, 5U);
    EXPECT_EQ(inside.failures, 1U);
    EXPECT_EQ(inside.last_error, "away");
    EXPECT_EQ(inside.next_in, Duration::zero());
    go_on.release();
    ASSERT_TRUE(pump.has_run_again());
    while (threads.states().at(0).is_running) ASSERT_LT(std::chrono::steady_clock::now(), end);
    const PumpState after = threads.states().at(0);
    EXPECT_EQ(after.runs, 3U);
    EXPECT_EQ(after.done, 10U);
    EXPECT_GT(after.next_in, 50s);  // it sleeps for a minute at most
    EXPECT_LE(after.next_in, 60s);
    EXPECT_GE(after.since_last_start, after.last_took);
    telemetry::configure_log("test", telemetry::Level::warn, true);
}

TEST(PumpThreads, ShortenABackoffByChance) {
    telemetry::Registry metrics;
    telemetry::configure_log("test", telemetry::Level::warn, true);
    ::testing::internal::CaptureStderr();
    Scripted pump([](int call) -> Progress {
        if (call == 1) throw std::runtime_error("away");
        return {0, 1h};
    });
    trackops::testing::FixedChance chance(0.5);
    PumpThreads threads(metrics, chance);
    threads.add("pump", pump);
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(pump.has_run_again());
    threads.stop();
    EXPECT_THAT(::testing::internal::GetCapturedStderr(),
                ::testing::HasSubstr(R"("again_in_ms":"75")"));
}

TEST(PumpThreads, AreNamed) {
    telemetry::Registry metrics;
    std::array<char, 16> name{};
    Scripted pump([&](int) {
        pthread_getname_np(pthread_self(), name.data(), name.size());
        return Progress{0, 1h};
    });
    PumpThreads threads(metrics);
    threads.add("0123456789abcdefgh", pump);
    ASSERT_TRUE(pump.has_run_again());
    threads.stop();
    EXPECT_STREQ(name.data(), "0123456789abcde");
}

}  // namespace
}  // namespace trackops::runtime
