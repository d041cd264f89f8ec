// The invariants of the inventory service's database.
#pragma once
#include "platform/audit/invariant.hpp"

namespace trackops::inventory::adapters {

// Returns the invariants of the stock tables and those of the relay's tables.
audit::Invariants stock_invariants();

}  // namespace trackops::inventory::adapters
