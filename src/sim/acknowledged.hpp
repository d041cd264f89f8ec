// The invariants of what clients were told: an acknowledged request is kept, and has one effect.
#pragma once
#include "sim/invariants.hpp"

namespace trackops::sim {

CheckResult acknowledged_requests_are_kept(const Evidence& on);
CheckResult acknowledged_details_are_kept(const Evidence& on);
CheckResult requests_have_one_effect(const Evidence& on);

}  // namespace trackops::sim
