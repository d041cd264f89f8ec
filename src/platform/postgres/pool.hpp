// A bounded pool of connections to one server, made when needed.
#pragma once
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "platform/postgres/connection.hpp"
#include "platform/sql/drivers.hpp"

namespace trackops::sql::postgres {

// When a server that was away may be asked again: 50 ms after the first attempt that failed,
// doubling to 2 s; then one caller tries while the others are turned away. Not thread-safe.
class Backoff {
public:
    using Time = std::chrono::steady_clock::time_point;

    bool may_try(Time now) const { return failures_ == 0 || (now >= retry_at_ && !is_trying_); }
    void trying() { is_trying_ = true; }
    // An attempt that had begun before another one failed changes nothing: they saw the same.
    void failed(Time begun, Time now);
    void succeeded();
    Duration left(Time now) const;

private:
    int failures_ = 0;
    bool is_trying_ = false;
    Time failed_at_{};
    Time retry_at_{};
};

// Thread-safe.
class Pool {
public:
    Pool(Target target, const Options& options, telemetry::Registry& metrics);
    // Throws Failure (unavailable) when none is free in time, or the server is away.
    std::unique_ptr<Connection> take();
    // Closes what is not fit for another transaction.
    void release(std::unique_ptr<Connection> connection);

    const Target& target() const { return target_; }
    Meters& meters() { return meters_; }

private:
    using Clock = std::chrono::steady_clock;

    std::unique_ptr<Connection> take_idle();
    std::unique_ptr<Connection> connect(std::unique_lock<std::mutex>& lock);

    const Target target_;
    const Options options_;
    Meters meters_;
    telemetry::Counter& reconnects_;
    std::mutex mutex_;
    std::condition_variable freed_;
    std::vector<std::unique_ptr<Connection>> idle_;  // the last one back is the first one out
    std::size_t open_ = 0;                           // idle, lent and being made
    std::size_t lost_ = 0;  // thrown away or not made, and not replaced yet
    Backoff backoff_;
};

}  // namespace trackops::sql::postgres
