#include "platform/telemetry/sampled_component.hpp"

#include <exception>
#include <utility>

#include <fmt/format.h>

namespace trackops::telemetry {

SampledComponent::SampledComponent(Component component, SteadyNow now)
    : component_(std::move(component)), now_(std::move(now)) {}

void SampledComponent::sample() {
    {
        const std::lock_guard lock(mutex_);
        asked_at_ = now_();
    }
    ComponentHealth health;
    try {
        health = component_.ask();
    } catch (const std::exception& error) {
        health = {Status::down, {{"error", error.what()}}};
    }
    {
        const std::lock_guard lock(mutex_);
        asked_at_.reset();
        latest_ = std::move(health);
    }
    answered_.notify_all();
}

ComponentHealth SampledComponent::health() const {
    const std::lock_guard lock(mutex_);
    if (asked_at_) {
        const auto silence = now_() - *asked_at_;
        if (silence > component_.answer_within) {
            const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(silence).count();
            return {Status::down, {{"error", fmt::format("no answer for {} s", seconds)}}};
        }
    }
    if (!latest_) return {Status::down, {{"error", "no answer yet"}}};
    return *latest_;
}

void SampledComponent::wait_for_first(Duration at_most) const {
    std::unique_lock lock(mutex_);
    answered_.wait_for(lock, at_most, [this] { return latest_.has_value(); });
}

}  // namespace trackops::telemetry
