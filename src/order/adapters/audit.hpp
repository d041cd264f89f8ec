// The invariants of the order service's database.
#pragma once
#include "platform/audit/invariant.hpp"

namespace trackops::order::adapters {

// Returns the invariants of the order tables and those of the relay's tables.
audit::Invariants order_invariants();

}  // namespace trackops::order::adapters
