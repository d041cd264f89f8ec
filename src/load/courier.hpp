// Sends a call until it is answered, a bounded number of times.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "load/wire.hpp"

namespace trackops::load {

inline constexpr int tries_max = 10;
inline constexpr Duration pause_min = std::chrono::milliseconds(50);
inline constexpr Duration pause_max = std::chrono::seconds(5);
inline constexpr Duration retry_after_max = std::chrono::seconds(30);

// How long to wait before a call is made again; nothing when the answer stands. Lost connections,
// 408, 429, any 5xx and a 409 that asks for it with Retry-After are worth another try. tries: made
// so far. salt spreads those that failed together.
std::optional<Duration> pause_before_retry(const Result<Answer>& answer, int tries,
                                           std::uint64_t salt);

class Courier {
public:
    explicit Courier(Wire& wire) : wire_(wire) {}
    // The last answer, or the last error. The courier outlives the wire's run.
    void deliver(Call call, Wire::Done done);
    std::int64_t retried() const { return retried_; }

private:
    struct Errand;
    void attempt(const std::shared_ptr<Errand>& errand);
    Wire& wire_;
    std::int64_t retried_ = 0;
    std::uint64_t delivered_ = 0;
};

}  // namespace trackops::load
