// The use case that changes items and their stock levels.
#pragma once
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "inventory/app/ports.hpp"

namespace trackops::inventory::app {

// Returns one result for each write, in order. The writes of one item are applied in sequence.
// Errors: those of domain::apply() and of ItemStore::write().
std::vector<Result<WriteResult>> write_items(std::span<const ItemWrite> writes, ItemStore& store,
                                             const Clock& clock);

}  // namespace trackops::inventory::app
