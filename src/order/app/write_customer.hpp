// The use case that changes a customer and its addresses.
#pragma once
#include "base/clock.hpp"
#include "order/app/customer_ports.hpp"

namespace trackops::order::app {

// Carries out the command of `write`. Errors: those of domain::apply() and of
// CustomerStore::write().
Result<CustomerWriteResult> write_customer(const CustomerWrite& write, CustomerStore& store,
                                           const Clock& clock);

}  // namespace trackops::order::app
