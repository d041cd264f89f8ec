// Lets one log line a second and reason through and counts the others.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trackops::telemetry {

// Thread-safe.
class LogGate {
public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr auto interval = std::chrono::seconds(1);
    // Further reasons share one entry.
    static constexpr std::size_t reasons_max = 64;

    struct HeldBack {
        std::string reason;
        std::uint64_t lines = 0;
    };

    // Returns the lines of this reason that were held back since the last one that passed, if this
    // one may be written; nothing if it is held back.
    std::optional<std::uint64_t> admit(std::string_view reason, Time now = Time::clock::now());
    // Returns and forgets what was held back at least `interval` ago, so that the last lines of a
    // flood are told, too.
    std::vector<HeldBack> take_held_back(Time now);

private:
    struct Entry {
        Time passed_at;
        std::uint64_t held_back = 0;
    };
    std::mutex mutex_;
    std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace trackops::telemetry
