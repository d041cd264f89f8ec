// The invariants of the relay's tables in the database of any service.
#pragma once
#include "platform/audit/invariant.hpp"

namespace trackops::audit {

// The outbox in the order of its positions, for a service's own invariants of its events.
extern const Scan outbox_scan;

Invariants relay_invariants();

}  // namespace trackops::audit
