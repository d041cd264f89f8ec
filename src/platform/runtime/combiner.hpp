// Group commit: commands that arrive while a batch is in flight form the next batch. There is no
// timer.
#pragma once
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <mutex>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "platform/runtime/budget.hpp"
#include "platform/runtime/failure.hpp"
#include "platform/runtime/pump.hpp"
#include "platform/telemetry/log.hpp"

namespace trackops::runtime {

// The memory of a queued command: that of its object, or what a function bytes_of(const Command&)
// in the command's namespace returns. A command that owns memory does not compile without one.
template <class Command>
std::size_t counted_bytes_of(const Command& command) {
    if constexpr (requires { bytes_of(command); }) {
        return bytes_of(command);
    } else {
        static_assert(std::is_trivially_copyable_v<Command>, "write a bytes_of() for it");
        return sizeof command;
    }
}

struct CombinerLimits {
    std::size_t batch_max = 128;   // commands in one call of process
    std::size_t queue_max = 4096;  // queued commands; submit() refuses further ones
    // Pays for a command from submit() to its outcome; submit() refuses what it cannot pay. Null:
    // not counted.
    Budget* budget = nullptr;
};

// Several threads may call run() at once; each takes its own batch. Commands of one submitter keep
// their order within a batch, but not between batches.
template <class Command, class Outcome>
class Combiner final : public Pump {
public:
    // Returns one outcome for each command, in order.
    using Process = std::function<std::vector<Outcome>(std::span<const Command>)>;
    using Done = std::move_only_function<void(Outcome)>;
    // A throwing move could lose a `done` callback.
    static_assert(std::is_nothrow_move_constructible_v<Command>);

    // `lost` makes the outcome of every command whose batch ended in an exception or returned a
    // wrong number of outcomes, and of every command that is still queued at close(). It must not
    // throw.
    Combiner(CombinerLimits limits, Process process, std::function<Outcome()> lost)
        : limits_(limits), process_(std::move(process)), on_lost_(std::move(lost)) {
        if (limits.batch_max == 0 || limits.queue_max == 0)
            throw std::logic_error("a combiner needs room for one command");
    }
    ~Combiner() override { close(); }

    // Queues a command. Never blocks. After true, `done` runs exactly once, on the thread of run()
    // or close(), with no lock held, so that it may submit again. After false (queue full, budget
    // spent, or closed) `done` never runs.
    [[nodiscard]] bool submit(Command command, Done done);
    // Runs one batch. Every command of the batch is answered before an exception leaves run(): the
    // exception of process, or else the first exception of a `done`.
    Progress run(Duration max_wait) override;
    void wake() override;
    // Refuses further commands and answers every queued one as lost. A batch in flight gets its
    // outcomes from run(). Exceptions of a `done` are logged. Idempotent.
    void close();

    std::size_t waiting() const;  // queued commands

private:
    struct Waiting {
        Command command;
        Done done;
        Share share;
    };
    std::vector<Waiting> take(Duration max_wait);
    std::vector<Outcome> process(std::span<Waiting> batch);

    const CombinerLimits limits_;
    const Process process_;
    const std::function<Outcome()> on_lost_;
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<Waiting> queue_;
    bool closed_ = false;
    bool woken_ = false;
};

template <class Command, class Outcome>
bool Combiner<Command, Outcome>::submit(Command command, Done done) {
    Share share(limits_.budget, Spending::commands);
    if (limits_.budget && !share.resize(counted_bytes_of(command))) return false;
    {
        const std::scoped_lock lock(mutex_);
        if (closed_ || queue_.size() >= limits_.queue_max) return false;
        queue_.push_back({std::move(command), std::move(done), std::move(share)});
    }
    arrived_.notify_one();
    return true;
}

template <class Command, class Outcome>
auto Combiner<Command, Outcome>::take(Duration max_wait) -> std::vector<Waiting> {
    std::unique_lock lock(mutex_);
    if (max_wait > Duration::zero()) {
        arrived_.wait_for(lock, max_wait, [this] { return !queue_.empty() || closed_ || woken_; });
    }
    woken_ = false;
    const auto end =
        queue_.begin() + static_cast<std::ptrdiff_t>(std::min(limits_.batch_max, queue_.size()));
    std::vector<Waiting> batch(std::make_move_iterator(queue_.begin()),
                               std::make_move_iterator(end));
    queue_.erase(queue_.begin(), end);
    return batch;
}

template <class Command, class Outcome>
std::vector<Outcome> Combiner<Command, Outcome>::process(std::span<Waiting> batch) {
    std::vector<Command> commands;
    commands.reserve(batch.size());
    for (Waiting& waiting : batch) commands.push_back(std::move(waiting.command));
    std::vector<Outcome> outcomes = process_(commands);
    // With a wrong number of outcomes it is unknown which command each one belongs to.
    if (outcomes.size() != batch.size())
        throw std::logic_error("a batch did not get one outcome a command");
    return outcomes;
}

template <class Command, class Outcome>
Progress Combiner<Command, Outcome>::run(Duration max_wait) {
    constexpr Duration when_closed = std::chrono::hours(1);
    std::vector<Waiting> batch = take(max_wait);
    if (batch.empty()) {
        const std::scoped_lock lock(mutex_);
        return {0, closed_ ? when_closed : Duration::zero()};
    }
    std::vector<Outcome> outcomes;
    std::exception_ptr failure;
    try {
        outcomes = process(batch);
    } catch (...) {
        failure = std::current_exception();
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
        try {
            batch[i].done(outcomes.empty() ? on_lost_() : std::move(outcomes[i]));
        } catch (...) {
            if (!failure) failure = std::current_exception();
        }
    }
    if (failure) std::rethrow_exception(failure);  // the driver counts and logs it
    return {batch.size(), Duration::zero()};
}

template <class Command, class Outcome>
void Combiner<Command, Outcome>::wake() {
    {
        const std::scoped_lock lock(mutex_);
        woken_ = true;
    }
    arrived_.notify_all();
}

template <class Command, class Outcome>
void Combiner<Command, Outcome>::close() {
    std::deque<Waiting> left;
    {
        const std::scoped_lock lock(mutex_);
        closed_ = true;
        left.swap(queue_);
    }
    arrived_.notify_all();
    for (Waiting& waiting : left) {
        try {
            waiting.done(on_lost_());
        } catch (...) {
            telemetry::log(telemetry::Level::error, "combiner", "an answer at close failed",
                           {{"error", failure_text(std::current_exception())}});
        }
    }
}

template <class Command, class Outcome>
std::size_t Combiner<Command, Outcome>::waiting() const {
    const std::scoped_lock lock(mutex_);
    return queue_.size();
}

}  // namespace trackops::runtime
