#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "order/app/ports.hpp"

namespace trackops::order::app {

// A change of an order's details. The wanted details depend on those that the order has.
struct ChangeDetails {
    // Must be pure: it may run more than once. Returns the wanted details, or a refusal.
    std::function<Result<domain::OrderDetails>(const domain::OrderDetails& current)> wanted;
    std::size_t bytes = 0;  // the memory that `wanted` holds
};

struct ChangeOrder {
    domain::OrderId id;
    std::variant<domain::Command, ChangeDetails> command;
    std::string actor;
    Trace trace;
    std::optional<IdempotencyKey> key;
    VersionCondition condition;
    AuditedActPtr act = {};
};

// Returns the memory that a queued command takes.
std::size_t bytes_of(const ChangeOrder& command);

// Applies the commands process, ship, deliver and cancel, and changes of details, to their orders.
// Returns one result for each command, in order; a refused command does not affect the others.
// Errors: as OrderStore::update(), Errc::illegal_transition, and those of ChangeDetails::wanted.
std::vector<Result<SaveResult>> change_orders(std::span<const ChangeOrder> commands,
                                              OrderStore& store, const Clock& clock, Ids& ids,
                                              const domain::SagaTimeouts& timeouts);

}  // namespace trackops::order::app
