#pragma once
#include <cstddef>
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
    AuditedActPtr act = {};
};

// Returns the memory that a queued order takes.
std::size_t bytes_of(const PlaceOrder& command);

// Places the orders with the status PENDING. Returns one result for each command, in order; a
// refused command does not affect the others. Errors: Errc::invalid as domain::place(), and those
// of OrderStore::add().
std::vector<Result<SaveResult>> place_orders(std::span<const PlaceOrder> commands,
                                             OrderStore& store, const Clock& clock, Ids& ids,
                                             const domain::SagaTimeouts& timeouts);

}  // namespace trackops::order::app
