// Looks at the sagas that are due, several times a second.
#pragma once
#include <functional>
#include <span>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "order/app/advance_sagas.hpp"
#include "platform/runtime/pump.hpp"

namespace trackops::order::adapters {

class SagaClock final : public runtime::Pump {
public:
    static constexpr Duration interval = std::chrono::milliseconds(250);

    // on_advanced: the orders of a round as they are after it.
    SagaClock(app::SagaRound round, app::OrderStore& store, const Clock& clock, Ids& ids,
              const domain::Patience& patience,
              std::function<void(std::span<const domain::Order>)> on_advanced);
    runtime::Progress run(Duration max_wait) override;

private:
    const app::SagaRound round_;
    app::OrderStore& store_;
    const Clock& clock_;
    Ids& ids_;
    const domain::Patience patience_;
    const std::function<void(std::span<const domain::Order>)> on_advanced_;
};

}  // namespace trackops::order::adapters
