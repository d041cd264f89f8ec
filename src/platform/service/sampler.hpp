// The pump that asks one component of the health.
#pragma once
#include "platform/runtime/pump.hpp"
#include "platform/telemetry/sampled_component.hpp"

namespace trackops::service {

// Asks every second, and less often a component whose answer takes long, so that the questions take
// at most a twentieth of the component's time. run() blocks as long as the component does: each
// component has a sampler and a thread of its own, so that one that stands still delays no other.
class Sampler final : public runtime::Pump {
public:
    static constexpr Duration interval_min = std::chrono::seconds(1);
    static constexpr Duration interval_max = std::chrono::seconds(10);

    // `component` outlives the sampler.
    explicit Sampler(telemetry::SampledComponent& component) : component_(component) {}
    runtime::Progress run(Duration max_wait) override;
    // Returns the time from the end of a question that took `took` to the next one.
    static Duration interval_after(Duration took);

private:
    telemetry::SampledComponent& component_;
};

}  // namespace trackops::service
