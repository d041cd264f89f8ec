#include "platform/telemetry/log_gate.hpp"

#include <utility>

namespace trackops::telemetry {

std::optional<std::uint64_t> LogGate::admit(std::string_view reason, Time now) {
    const std::scoped_lock lock(mutex_);
    auto found = entries_.find(reason);
    if (found == entries_.end() && entries_.size() >= reasons_max)
        found = entries_.find(reason = "another");
    if (found == entries_.end()) {
        entries_.emplace(reason, Entry{now});
        return 0;
    }
    Entry& entry = found->second;
    if (now - entry.passed_at < interval) {
        ++entry.held_back;
        return std::nullopt;
    }
    entry.passed_at = now;
    return std::exchange(entry.held_back, 0);
}

std::vector<LogGate::HeldBack> LogGate::take_held_back(Time now) {
    const std::scoped_lock lock(mutex_);
    std::vector<HeldBack> all;
    for (auto& [reason, entry] : entries_) {
        if (entry.held_back == 0 || now - entry.passed_at < interval) continue;
        entry.passed_at = now;
        all.push_back({reason, std::exchange(entry.held_back, 0)});
    }
    return all;
}

}  // namespace trackops::telemetry
