// Token buckets: how many requests a caller may send.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "platform/http/client_address.hpp"
#include "platform/http/principal.hpp"

namespace trackops::http {

// Requests a second; 0: no limit. A caller may send as much as in `window` at once.
struct RateLimits {
    std::uint32_t of_principal = 0;  // an authenticated caller, by its name
    std::uint32_t of_address = 0;    // callers without valid credentials, by network_of()
    static constexpr std::chrono::seconds window{10};
    bool any() const { return of_principal > 0 || of_address > 0; }
};

// The content of the headers RateLimit-Policy and RateLimit for one request.
struct RateState {
    std::string_view policy;          // "principal" or "address"; "": there is no limit
    std::uint32_t quota = 0;          // requests in RateLimits::window
    std::uint32_t remaining = 0;      // that may be sent at once
    std::uint32_t reset_seconds = 0;  // until `remaining` is `quota` again
    bool is_admitted = true;
};

// Not thread-safe. The callers that it knows are limited: beyond callers_max the one that was away
// longest is forgotten, and begins anew.
class RateLimiter {
public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr std::size_t callers_max = 10'000;

    explicit RateLimiter(RateLimits limits) : limits_(limits) {}
    // Counts a request. Loopback has no limit of its address: proxies and tools of this machine
    // share it.
    RateState take(const Principal& caller, const ClientAddress& address, Time now);
    std::size_t callers() const { return by_key_.size(); }

private:
    struct Bucket {
        std::string key;
        double tokens;
        Time filled_at;
    };
    Bucket& bucket_of(std::string key, std::uint32_t quota, Time now);

    const RateLimits limits_;
    std::list<Bucket> buckets_;  // the one used last comes first
    std::unordered_map<std::string_view, std::list<Bucket>::iterator> by_key_;
};

// Appends both headers; nothing without a limit.
void append_rate(std::string& out, const RateState& rate);

}  // namespace trackops::http
