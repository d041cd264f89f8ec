#include "load/per_order_queue.hpp"

namespace trackops::load {

std::optional<Scheduled> PerOrderQueue::start_or_enqueue(Scheduled next) {
    const auto reference = reference_of(next.step);
    if (reference.empty()) return next;
    const auto [place, is_free] = busy_.try_emplace(std::string(reference));
    if (is_free) return next;
    place->second.push_back(std::move(next));
    ++waiting_;
    return std::nullopt;
}

std::optional<Scheduled> PerOrderQueue::finish(const std::string& reference) {
    const auto place = busy_.find(reference);
    if (place == busy_.end()) return std::nullopt;
    if (place->second.empty()) {
        busy_.erase(place);
        return std::nullopt;
    }
    auto next = std::move(place->second.front());
    place->second.pop_front();
    --waiting_;
    return next;
}

}  // namespace trackops::load
