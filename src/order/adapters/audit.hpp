// What must be true of the order service's database.
#pragma once
#include "platform/audit/invariant.hpp"

namespace trackops::order::adapters {

// With those of the relay's tables.
audit::Invariants order_invariants();

}  // namespace trackops::order::adapters
