#include "order/adapters/saga_clock.hpp"

#include <stdexcept>

namespace trackops::order::adapters {

SagaClock::SagaClock(app::SagaRound round, app::OrderStore& store, const Clock& clock, Ids& ids,
                     const domain::Patience& patience,
                     std::function<void(std::span<const domain::Order>)> on_advanced)
    : round_(std::move(round)),
      store_(store),
      clock_(clock),
      ids_(ids),
      patience_(patience),
      on_advanced_(std::move(on_advanced)) {}

runtime::Progress SagaClock::run(Duration) {
    const auto orders = app::advance_sagas(round_, store_, clock_, ids_, patience_);
    if (!orders)
        throw std::runtime_error(orders.error().detail);  // the driver counts, logs and backs off
    on_advanced_(*orders);
    return {orders->size(), orders->size() < round_.limit ? interval : Duration::zero()};
}

}  // namespace trackops::order::adapters
