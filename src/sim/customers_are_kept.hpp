// The invariants of customers, their addresses and their erasure.
#pragma once
#include "sim/invariants.hpp"

namespace trackops::sim {

// Checks that the database has exactly the customers and addresses that clients were told of.
CheckResult customers_are_kept(const Evidence& on);
// Checks that an order that names an address has a copy of it, until its customer is erased.
CheckResult orders_keep_their_address(const Evidence& on);
// Checks that only finished orders were erased, that no recorded answer shows a customer whose
// erasure was answered, and that one event tells of each erasure.
CheckResult erased_customers_are_forgotten(const Evidence& on);

}  // namespace trackops::sim
