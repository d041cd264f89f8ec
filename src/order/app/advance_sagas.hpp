#pragma once
#include <functional>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "order/app/ports.hpp"

namespace trackops::order::app {

struct SagaSweepOptions {
    // The time for which this caller owns a due saga; longer than a sweep takes.
    Duration lease = std::chrono::seconds(30);
    // The maximum number of sagas in a sweep.
    std::size_t limit = 128;
    // Returns the age of the oldest event that waits for the relay. Called once in a sweep that
    // finds a due saga.
    std::function<Duration()> relay_lag;
};

// Claims the sagas that are due and retries or gives up their running steps. Returns the orders as
// they are saved. Leaves out an order that could not be saved: its saga is due again after the
// lease. Errors: as OrderStore::claim_due().
Result<std::vector<domain::Order>> advance_sagas(const SagaSweepOptions& options, OrderStore& store,
                                                 const Clock& clock, Ids& ids,
                                                 const domain::SagaTimeouts& timeouts);

}  // namespace trackops::order::app
