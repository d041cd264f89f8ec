// The invariant of customers and their addresses.
#pragma once
#include "sim/invariants.hpp"

namespace trackops::sim {

// Checks that the database has exactly the customers and addresses that clients were told of.
CheckResult customers_are_kept(const Evidence& on);

}  // namespace trackops::sim
