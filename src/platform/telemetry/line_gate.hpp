// Limits how often the log repeats a line.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

namespace trackops::telemetry {

// One gate for each reason. A line that is held back is lost; the next admitted one tells how many
// were. A counter beside it is exact. Thread-safe.
class LineGate {
public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::seconds interval{1};

    explicit LineGate(std::function<Time()> now = std::chrono::steady_clock::now);
    // Returns the number of lines held back since the last admitted one; nothing when this line is
    // to be held back, because one was admitted less than `interval` ago.
    std::optional<std::uint64_t> admit();

private:
    const std::function<Time()> now_;
    std::mutex mutex_;
    Time next_ = Time::min();  // no line is admitted before
    std::uint64_t held_back_ = 0;
};

}  // namespace trackops::telemetry
