#include "platform/runtime/pump_threads.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <ranges>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>

#include "platform/runtime/failure.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::runtime {
namespace {

// The longest delay of stop() by a pump that cannot be woken.
constexpr Duration wait_inside_max = std::chrono::seconds(1);
constexpr Duration sleep_max = std::chrono::minutes(1);
constexpr std::size_t thread_name_bytes_max = 15;

// One thread and its pump.
class Entry {
public:
    Entry(std::string name, Pump& pump, telemetry::Counter& failures, Chance& chance)
        : name_(std::move(name)),
          pump_(pump),
          failures_(failures),
          chance_(chance),
          state_{.name = name_},
          thread_([this] { drive(); }) {}

    bool drives(const Pump& pump) const { return &pump_ == &pump; }
    Pump& pump() const { return pump_; }
    bool joined() const { return !thread_.joinable(); }
    void join() { thread_.join(); }

    void wake() {
        {
            const std::scoped_lock lock(mutex_);
            woken_ = true;
        }
        changed_.notify_one();
    }

    void tell_to_stop() {
        {
            const std::scoped_lock lock(mutex_);
            stopping_ = true;
        }
        changed_.notify_one();
    }

    PumpState state() const {
        const auto now = std::chrono::steady_clock::now();
        const std::scoped_lock lock(mutex_);
        PumpState state = state_;
        if (started_at_ != Time{})
            state.since_last_start = std::chrono::floor<Duration>(now - started_at_);
        if (!state.is_running && next_at_ > now)
            state.next_in = std::chrono::ceil<Duration>(next_at_ - now);
        return state;
    }

private:
    using Time = std::chrono::steady_clock::time_point;

    void drive() {
        pthread_setname_np(pthread_self(), name_.substr(0, thread_name_bytes_max).c_str());
        Backoff backoff(pump_backoff);
        while (should_run()) {
            try {
                const Progress progress = pump_.run(wait_inside_max);
                backoff.succeeded();
                note_end(progress.done, {}, progress.call_again_in);
                sleep(progress.call_again_in);
            } catch (...) {
                const Duration wait = backoff.failed(chance_.draw());
                note_end(0, failure_text(std::current_exception()), wait);
                report(std::current_exception(), wait);
                wait_out(wait);
            }
        }
        // This thread may have consumed a wake meant for another thread of the same pump.
        pump_.wake();
    }

    // A wake before this point is covered by the run() that follows.
    bool should_run() {
        const std::scoped_lock lock(mutex_);
        woken_ = false;
        if (stopping_) return false;
        started_at_ = std::chrono::steady_clock::now();
        state_.is_running = true;
        return true;
    }

    // `error`: "" after a call that succeeded.
    void note_end(std::size_t done, std::string error, Duration wait) {
        const Time now = std::chrono::steady_clock::now();
        const std::scoped_lock lock(mutex_);
        state_.is_running = false;
        ++state_.runs;
        state_.done += done;
        state_.last_took = std::chrono::floor<Duration>(now - started_at_);
        next_at_ = now + std::min(wait, sleep_max);
        if (error.empty()) return;
        ++state_.failures;
        state_.last_error = std::move(error);
    }

    void sleep(Duration time) {
        if (time <= Duration::zero()) return;
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::min(time, sleep_max), [this] { return stopping_ || woken_; });
    }

    // wake() does not end a backoff: otherwise a pump that fails at each request would run without
    // pause.
    void wait_out(Duration wait) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, wait, [this] { return stopping_; });
    }

    void report(const std::exception_ptr& failure, Duration wait) {
        failures_.add();
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(wait).count();
        telemetry::log(telemetry::Level::error, "pump", "a pump failed and is called again later",
                       {{"pump", name_},
                        {"error", failure_text(failure)},
                        {"again_in_ms", std::to_string(ms)}});
    }

    const std::string name_;
    Pump& pump_;
    telemetry::Counter& failures_;
    Chance& chance_;
    mutable std::mutex mutex_;  // guards the members below, save the thread
    std::condition_variable changed_;
    bool woken_ = false;
    bool stopping_ = false;
    PumpState state_;
    Time started_at_{};   // of the last call
    Time next_at_{};      // of the next call
    std::thread thread_;  // last, because the thread uses all members above
};

}  // namespace

struct PumpThreads::State {
    telemetry::Registry& metrics;
    Chance& chance;
    std::mutex stopping;  // held during all of stop()
    std::mutex mutex;     // guards the two members below; never held while waiting
    std::deque<Entry> entries = {};
    bool stopped = false;
};

PumpThreads::PumpThreads(telemetry::Registry& metrics, Chance& chance)
    : state_(new State{.metrics = metrics, .chance = chance}) {}

PumpThreads::~PumpThreads() { stop(); }

void PumpThreads::add(std::string name, Pump& pump) {
    auto& failures = state_->metrics.counter(
        "trackops_pump_failures_total", "Exceptions out of a background pump.", {{"pump", name}});
    const std::scoped_lock lock(state_->mutex);
    if (state_->stopped) throw std::logic_error("Threads::add() after stop()");
    state_->entries.emplace_back(std::move(name), pump, failures, state_->chance);
}

void PumpThreads::add(const std::vector<NamedPump>& pumps) {
    for (const NamedPump& named : pumps) {
        for (int i = 0; i < named.threads; ++i) add(named.name, named.pump);
    }
}

void PumpThreads::wake(Pump& pump) {
    {
        const std::scoped_lock lock(state_->mutex);
        for (Entry& entry : state_->entries) {
            if (entry.drives(pump)) entry.wake();
        }
    }
    pump.wake();
}

std::vector<PumpState> PumpThreads::states() const {
    const std::scoped_lock lock(state_->mutex);
    std::vector<PumpState> states;
    states.reserve(state_->entries.size());
    for (const Entry& entry : state_->entries) states.push_back(entry.state());
    return states;
}

void PumpThreads::stop() {
    const std::scoped_lock one_at_a_time(state_->stopping);
    {
        const std::scoped_lock lock(state_->mutex);
        state_->stopped = true;  // `entries` does not grow after this
    }
    for (Entry& last : std::views::reverse(state_->entries)) {
        if (last.joined()) continue;
        // Stops all threads of one pump together: a thread that went on running could consume the
        // wake that the others wait for.
        std::vector<Entry*> of_this_pump;
        for (Entry& entry : state_->entries) {
            if (entry.drives(last.pump())) of_this_pump.push_back(&entry);
        }
        for (Entry* entry : of_this_pump) entry->tell_to_stop();
        last.pump().wake();
        for (Entry* entry : of_this_pump) entry->join();
    }
}

}  // namespace trackops::runtime
