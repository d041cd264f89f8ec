// A component with its latest health, which readers take from memory.
#pragma once
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "platform/telemetry/health.hpp"

namespace trackops::telemetry {

using SteadyNow = std::function<std::chrono::steady_clock::time_point()>;

// One thread calls sample() again and again; any thread reads health(). Thread-safe.
class SampledComponent {
public:
    explicit SampledComponent(Component component, SteadyNow now = std::chrono::steady_clock::now);

    const std::string& name() const { return component_.name; }
    bool in_readiness() const { return component_.in_readiness; }
    // Asks the component and keeps its answer. Blocks as long as the component does.
    void sample();
    // Returns the latest answer, or DOWN with the detail "error" when the component has been asked
    // and has not answered for longer than Component::answer_within, or was never asked. Never
    // blocks on the component.
    ComponentHealth health() const;
    // Waits, at most `at_most`, for the first answer.
    void wait_for_first(Duration at_most) const;

private:
    using Time = std::chrono::steady_clock::time_point;
    const Component component_;
    const SteadyNow now_;
    mutable std::mutex mutex_;
    mutable std::condition_variable answered_;
    std::optional<Time> asked_at_;           // of the question that has no answer yet
    std::optional<ComponentHealth> latest_;  // nothing before the first answer
};

using SampledComponents = std::vector<std::unique_ptr<SampledComponent>>;

}  // namespace trackops::telemetry
