// What must be true of the relay's tables in any service's database.
#pragma once
#include "platform/audit/invariant.hpp"

namespace trackops::audit {

// The outbox by position: for a service's own invariants about its events.
extern const Scan outbox_scan;

Invariants relay_invariants();

}  // namespace trackops::audit
