// Sends a call and retries it a bounded number of times.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "base/backoff.hpp"
#include "load/http_client.hpp"

namespace trackops::load {

inline constexpr int tries_max = 10;
inline constexpr BackoffLimits retry_backoff{std::chrono::milliseconds(50),
                                             std::chrono::seconds(5)};
inline constexpr Duration retry_after_max = std::chrono::seconds(30);

// Returns the delay before the next attempt, or nothing if the response is final. Lost connections,
// 408, 429, every 5xx and a 409 with Retry-After are retried, up to tries_max attempts. The delay
// is that of Retry-After, at most retry_after_max, and a backoff on top. `tries` is the number of
// attempts so far, `chance` as in jittered_wait().
std::optional<Duration> retry_delay(const Result<Response>& response, int tries, double chance);

class RetryingClient {
public:
    explicit RetryingClient(HttpClient& client) : client_(client) {}
    // Calls `done` with the last response or the last error. This object must outlive
    // HttpClient::run().
    void send_with_retries(Request call, HttpClient::Done done);
    std::int64_t retried() const { return retried_; }

private:
    struct PendingRequest;
    void attempt(const std::shared_ptr<PendingRequest>& pending);
    HttpClient& client_;
    std::int64_t retried_ = 0;
};

}  // namespace trackops::load
