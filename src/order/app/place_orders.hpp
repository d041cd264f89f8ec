#pragma once
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "order/app/ports.hpp"

namespace trackops::order::app {

struct PlaceOrder {
    domain::OrderTerms terms;
    std::string actor;
    Trace trace;
    std::optional<IdempotencyKey> key;
};

// Takes orders in, PENDING. One answer each, in order; a refused one never fails its neighbours.
std::vector<Result<SaveResult>> place_orders(std::span<const PlaceOrder> commands,
                                             OrderStore& store, const Clock& clock, Ids& ids,
                                             const domain::SagaTimeouts& timeouts);

}  // namespace trackops::order::app
