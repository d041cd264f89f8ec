#pragma once
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "order/app/ports.hpp"

namespace trackops::order::app {

struct ChangeOrder {
    domain::OrderId id;
    domain::Command command;
    std::string actor;
    Trace trace;
    std::optional<IdempotencyKey> key;
    VersionCondition condition;
};

// Returns the memory that a queued command takes.
std::size_t bytes_of(const ChangeOrder& command);

// Applies the commands process, ship, deliver and cancel to their orders. Returns one result for
// each command, in order; a refused command does not affect the others. Errors: as
// OrderStore::update(), and Errc::illegal_transition.
std::vector<Result<SaveResult>> change_orders(std::span<const ChangeOrder> commands,
                                              OrderStore& store, const Clock& clock, Ids& ids,
                                              const domain::SagaTimeouts& timeouts);

}  // namespace trackops::order::app
