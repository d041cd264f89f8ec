// The pump that asks one component of the health.
#pragma once
#include "platform/runtime/pump.hpp"
#include "platform/telemetry/sampled_component.hpp"

namespace trackops::service {

// Asks every second, and a component whose answer takes long less often, up to every 2.5 s. With
// Component::answer_within that makes less than 5 s until a component that stands still is DOWN.
// run() blocks as long as the component does: each component has a sampler and a thread of its own,
// so that one that stands still delays no other.
class Sampler final : public runtime::Pump {
public:
    static constexpr Duration interval_min = std::chrono::seconds(1);
    static constexpr Duration interval_max = std::chrono::milliseconds(2500);

    // `component` outlives the sampler.
    explicit Sampler(telemetry::SampledComponent& component) : component_(component) {}
    runtime::Progress run(Duration max_wait) override;
    // Returns the time from the end of a question that took `took` to the next one.
    static Duration interval_after(Duration took);

private:
    telemetry::SampledComponent& component_;
};

}  // namespace trackops::service
