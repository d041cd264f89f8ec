// A bounded pool of connections to one server. Connections are made on demand.
#pragma once
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "base/backoff.hpp"
#include "platform/postgres/connection.hpp"
#include "platform/sql/meters.hpp"

namespace trackops::sql::postgres {

// Decides who may try to connect after the server was away. After the backoff one caller tries
// while the others are refused. Not thread-safe.
class ConnectGate {
public:
    using Time = std::chrono::steady_clock::time_point;

    bool may_try(Time now) const {
        return !backoff_.has_failed() || (now >= retry_at_ && !is_trying_);
    }
    void trying() { is_trying_ = true; }
    // A failure of an attempt that began before another one failed does not extend the delay: both
    // saw the same outage. `chance` as in jittered_wait().
    void failed(Time begun, Time now, double chance);
    void succeeded();
    Duration left(Time now) const;

private:
    Backoff backoff_{connect_backoff};
    bool is_trying_ = false;
    Time failed_at_{};
    Time retry_at_{};
};

// Thread-safe.
class Pool {
public:
    Pool(Target target, const Options& options, telemetry::Registry& metrics);
    using Time = std::chrono::steady_clock::time_point;

    // Returns a connection with this deadline. Throws Failure (unavailable) if no connection
    // becomes free in time or by then, or the server is unavailable.
    std::unique_ptr<Connection> take(Time deadline);
    // Closes a connection that is not reusable.
    void release(std::unique_ptr<Connection> connection);

    const Target& target() const { return target_; }
    const Options& options() const { return options_; }
    Meters& meters() { return meters_; }

private:
    using Clock = std::chrono::steady_clock;

    std::unique_ptr<Connection> take_idle();
    std::unique_ptr<Connection> connect(std::unique_lock<std::mutex>& lock, Time deadline);

    const Target target_;
    const Options options_;
    Meters meters_;
    telemetry::Counter& reconnects_;
    std::mutex mutex_;
    std::condition_variable freed_;
    std::vector<std::unique_ptr<Connection>> idle_;  // last in, first out
    std::size_t open_ = 0;                           // idle, lent and connecting
    std::size_t lost_ = 0;                           // closed or failed, and not replaced yet
    ConnectGate gate_;
};

}  // namespace trackops::sql::postgres
