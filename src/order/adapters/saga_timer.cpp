#include "order/adapters/saga_timer.hpp"

#include <stdexcept>

namespace trackops::order::adapters {

SagaTimer::SagaTimer(app::SagaSweepOptions round, app::OrderStore& store, const Clock& clock,
                     Ids& ids, const domain::SagaTimeouts& timeouts,
                     std::function<void(std::span<const domain::Order>)> on_advanced)
    : options_(std::move(round)),
      store_(store),
      clock_(clock),
      ids_(ids),
      patience_(timeouts),
      on_advanced_(std::move(on_advanced)) {}

runtime::Progress SagaTimer::run(Duration) {
    const auto orders = app::advance_sagas(options_, store_, clock_, ids_, patience_);
    // The caller of the pump counts the failure, logs it and backs off.
    if (!orders) throw std::runtime_error(orders.error().detail);
    on_advanced_(*orders);
    return {orders->size(), orders->size() < options_.limit ? interval : Duration::zero()};
}

}  // namespace trackops::order::adapters
