#include "platform/http/rate_limiter.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

namespace trackops::http {

RateLimiter::Bucket& RateLimiter::bucket_of(std::string key, std::uint32_t quota, Time now) {
    if (const auto known = by_key_.find(key); known != by_key_.end()) {
        buckets_.splice(buckets_.begin(), buckets_, known->second);
        return buckets_.front();
    }
    if (buckets_.size() >= callers_max) {
        by_key_.erase(buckets_.back().key);
        buckets_.pop_back();
    }
    buckets_.push_front({std::move(key), static_cast<double>(quota), now});
    by_key_.emplace(buckets_.front().key, buckets_.begin());
    return buckets_.front();
}

RateState RateLimiter::take(const Principal& caller, const ClientAddress& address, Time now) {
    const bool is_known = caller.is_authenticated;
    const std::uint32_t per_second = is_known ? limits_.of_principal : limits_.of_address;
    if (per_second == 0 || (!is_known && is_loopback(address))) return {};
    const auto network = network_of(address);
    // A name cannot begin with NUL.
    std::string key = is_known ? caller.name
                               : '\0' + std::string(reinterpret_cast<const char*>(network.data()),
                                                    network.size());
    const auto quota = per_second * static_cast<std::uint32_t>(RateLimits::window.count());
    Bucket& bucket = bucket_of(std::move(key), quota, now);
    const double passed = std::chrono::duration<double>(now - bucket.filled_at).count();
    bucket.tokens = std::min<double>(quota, bucket.tokens + std::max(passed, 0.0) * per_second);
    bucket.filled_at = std::max(bucket.filled_at, now);
    const bool is_admitted = bucket.tokens >= 1;
    if (is_admitted) bucket.tokens -= 1;
    return {.policy = is_known ? "principal" : "address",
            .quota = quota,
            .remaining = static_cast<std::uint32_t>(bucket.tokens),
            .reset_seconds =
                static_cast<std::uint32_t>(std::ceil((quota - bucket.tokens) / per_second)),
            .is_admitted = is_admitted};
}

void append_rate(std::string& out, const RateState& rate) {
    if (rate.policy.empty()) return;
    fmt::format_to(std::back_inserter(out),
                   "RateLimit-Policy: \"{0}\";q={1};w={2}\r\nRateLimit: \"{0}\";r={3};t={4}\r\n",
                   rate.policy, rate.quota, RateLimits::window.count(), rate.remaining,
                   rate.reset_seconds);
}

}  // namespace trackops::http
