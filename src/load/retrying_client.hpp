// Sends a call until it is answered, a bounded number of times.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "load/http_client.hpp"

namespace trackops::load {

inline constexpr int tries_max = 10;
inline constexpr Duration retry_delay_min = std::chrono::milliseconds(50);
inline constexpr Duration retry_delay_max = std::chrono::seconds(5);
inline constexpr Duration retry_after_max = std::chrono::seconds(30);

// How long to wait before a call is made again; nothing when the answer stands. Lost connections,
// 408, 429, any 5xx and a 409 that asks for it with Retry-After are worth another try. tries: made
// so far. salt spreads those that failed together.
std::optional<Duration> retry_delay(const Result<Response>& response, int tries,
                                    std::uint64_t salt);

class RetryingClient {
public:
    explicit RetryingClient(HttpClient& client) : client_(client) {}
    // The last answer, or the last error. The courier outlives the wire's run.
    void send_with_retries(Request call, HttpClient::Done done);
    std::int64_t retried() const { return retried_; }

private:
    struct PendingRequest;
    void attempt(const std::shared_ptr<PendingRequest>& pending);
    HttpClient& client_;
    std::int64_t retried_ = 0;
    std::uint64_t delivered_ = 0;
};

}  // namespace trackops::load
