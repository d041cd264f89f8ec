#include "sim/shown.hpp"

#include <algorithm>

namespace trackops::sim {
namespace {

constexpr Duration entry_lives = std::chrono::seconds(25);  // a little less than the cache keeps it

}  // namespace

void Shown::must_show(const std::string& process, Uuid order, std::int64_t version) {
    const auto changes = orders_.changes.find(order);
    if (changes == orders_.changes.end() || !changes->second.contains(version)) return;
    // An entry's time to live counts on the clock of the process that wrote the order.
    const Instant until = changes->second.at(version).at + entry_lives - 2 * world_.skew_max;
    Least& least = least_[{process, order}];
    if (least.version < version || least.until <= world_.now) least = {version, until};
}

std::int64_t Shown::least(const std::string& process, Uuid order) const {
    const auto found = least_.find({process, order});
    if (found == least_.end() || found->second.until <= world_.now || lost_.contains(order))
        return 0;
    return found->second.version;
}

void Shown::restarted(const std::string& process) {
    std::erase_if(least_, [&](const auto& entry) { return entry.first.first == process; });
}

}  // namespace trackops::sim
