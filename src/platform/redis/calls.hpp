// Commands to one Redis server whose answers a caller waits for. Callers take turns on one
// connection.
#pragma once
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "base/result.hpp"
#include "platform/cache/circuit_breaker.hpp"
#include "platform/redis/connection.hpp"
#include "platform/redis/target.hpp"

namespace trackops {
class Clock;
}
namespace trackops::telemetry {
class Counter;
class Registry;
}  // namespace trackops::telemetry

namespace trackops::cache {

using Words = std::vector<std::string>;  // of one command

// Thread-safe. After a failure no caller waits until a backoff has passed. Metrics:
// - trackops_sessions_store_errors_total: calls that Redis has not answered
class RedisCalls {
public:
    // A call waits for its turn, for the connection and for all answers, `timeout` each. `clock`
    // and `metrics` outlive this.
    RedisCalls(RedisTarget target, Duration timeout, const Clock& clock,
               telemetry::Registry& metrics);
    ~RedisCalls();

    // Sends the commands together. Returns one reply for each, in order; each may be an error of
    // Redis. Returns Errc::unavailable if not all of them arrive in time; whether the commands took
    // effect is then unknown.
    Result<std::vector<Reply>> ask(const std::vector<Words>& commands);

private:
    using Deadline = std::chrono::steady_clock::time_point;
    bool take_turn();  // false if it does not come within the timeout
    void end_turn();
    Result<std::vector<Reply>> ask_in_turn(const std::vector<Words>& commands);
    void connect();
    std::vector<Reply> exchange(const std::vector<Words>& commands);

    const RedisTarget target_;
    const Duration timeout_;
    const Clock& clock_;
    telemetry::Counter& errors_;
    // A turn and not a std::timed_mutex: the thread sanitizer of g++ 12 does not know how that
    // waits.
    std::mutex mutex_;
    std::condition_variable turn_ended_;
    bool is_taken_ = false;  // guarded by mutex_
    // The members below belong to the caller whose turn it is.
    CircuitBreaker breaker_;
    bool is_failing_ = false;  // and the failure is logged
    std::unique_ptr<RedisConnection> connection_;
};

}  // namespace trackops::cache
