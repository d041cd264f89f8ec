// Changes of items and their stock, from people and their programs.
#pragma once
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "inventory/app/ports.hpp"

namespace trackops::inventory::app {

// One answer a write, in order. Writes of one item are applied one after the other.
std::vector<Result<WriteResult>> write_items(std::span<const ItemWrite> writes, ItemStore& store,
                                             const Clock& clock);

}  // namespace trackops::inventory::app
