// The pump that advances the sagas that are due.
#pragma once
#include <functional>
#include <span>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "order/app/advance_sagas.hpp"
#include "platform/runtime/pump.hpp"

namespace trackops::order::adapters {

class SagaTimer final : public runtime::Pump {
public:
    static constexpr Duration interval = std::chrono::milliseconds(250);

    // Each run() sweeps once with the options `round` and calls on_advanced with the orders as they
    // are saved. The references outlive the timer.
    SagaTimer(app::SagaSweepOptions round, app::OrderStore& store, const Clock& clock, Ids& ids,
              const domain::SagaTimeouts& timeouts,
              std::function<void(std::span<const domain::Order>)> on_advanced);
    // Throws std::runtime_error when the database fails; the caller counts, logs and backs off.
    runtime::Progress run(Duration max_wait) override;

private:
    const app::SagaSweepOptions options_;
    app::OrderStore& store_;
    const Clock& clock_;
    Ids& ids_;
    const domain::SagaTimeouts patience_;
    const std::function<void(std::span<const domain::Order>)> on_advanced_;
};

}  // namespace trackops::order::adapters
