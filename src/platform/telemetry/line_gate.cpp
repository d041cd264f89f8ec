#include "platform/telemetry/line_gate.hpp"

#include <utility>

namespace trackops::telemetry {

LineGate::LineGate(std::function<Time()> now) : now_(std::move(now)) {}

std::optional<std::uint64_t> LineGate::admit() {
    const Time now = now_();
    const std::scoped_lock lock(mutex_);
    if (now < next_) {
        ++held_back_;
        return std::nullopt;
    }
    next_ = now + interval;
    return std::exchange(held_back_, 0);
}

}  // namespace trackops::telemetry
