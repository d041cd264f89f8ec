#pragma once
#include <functional>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "order/app/ports.hpp"

namespace trackops::order::app {

struct SagaSweepOptions {
    Duration lease =
        std::chrono::seconds(30);  // for which a due saga is ours: longer than a round takes
    std::size_t limit = 128;       // orders a round
    std::function<Duration()>
        relay_lag;  // for how long events have been waiting to leave; asked when something is due
};

// Looks at the sagas that are due: sends again, or gives up. Returns the orders as they are then.
Result<std::vector<domain::Order>> advance_sagas(const SagaSweepOptions& options, OrderStore& store,
                                                 const Clock& clock, Ids& ids,
                                                 const domain::SagaTimeouts& timeouts);

}  // namespace trackops::order::app
