#include "apps/end_signals.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <mutex>
#include <string>
#include <thread>
#include <unistd.h>

#include <pthread.h>

#include "platform/telemetry/log.hpp"

namespace trackops::apps {
namespace {

sigset_t end_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    return signals;
}

// Returns the signal that came within `time`, or 0.
int signal_within(const sigset_t& signals, Duration time) {
    const auto until = std::chrono::steady_clock::now() + time;
    for (;;) {
        const auto left = until - std::chrono::steady_clock::now();
        const auto nanoseconds = std::max<std::int64_t>(0, std::chrono::nanoseconds(left).count());
        const timespec limit{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
        const int signal = sigtimedwait(&signals, nullptr, &limit);
        if (signal > 0) return signal;
        if (errno != EINTR) return 0;  // SIGCONT interrupts the wait
    }
}

}  // namespace

struct EndSignals::State {
    std::mutex mutex;
    std::condition_variable came;
    bool has_come = false;

    void watch(const sigset_t& signals, Duration stop_within) {
        int first = 0;
        sigwait(&signals, &first);
        {
            const std::scoped_lock lock(mutex);
            has_come = true;
        }
        came.notify_all();
        if (const int second = signal_within(signals, stop_within); second > 0)
            ::_exit(128 + second);
        telemetry::log(
            telemetry::Level::error, "end",
            "the stop did not end in time, so the process ends without it",
            {{"seconds",
              std::to_string(std::chrono::floor<std::chrono::seconds>(stop_within).count())}});
        ::_exit(1);
    }
};

EndSignals::EndSignals(Duration stop_within) : state_(std::make_shared<State>()) {
    const sigset_t signals = end_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::thread([state = state_, signals, stop_within] {
        pthread_setname_np(pthread_self(), "end-signals");
        state->watch(signals, stop_within);
    }).detach();
}

void EndSignals::wait() {
    std::unique_lock lock(state_->mutex);
    state_->came.wait(lock, [this] { return state_->has_come; });
}

bool EndSignals::wait_for(Duration time) {
    std::unique_lock lock(state_->mutex);
    return state_->came.wait_for(lock, time, [this] { return state_->has_come; });
}

}  // namespace trackops::apps
