// Confines a caller that is a customer to that customer's orders.
#pragma once
#include <vector>

#include "order/adapters/http_api.hpp"
#include "platform/http/route.hpp"

namespace trackops::order::adapters {

// Returns the routes, of which those with is_for_own_customer look at the caller first. For a
// customer (Principal::customer_id) an order of anybody else is 404, as one that does not exist; a
// list has its own orders alone; and an order can be placed for itself alone (403 otherwise). Other
// callers notice nothing. Throws std::logic_error for such a route of a kind that is not known
// here.
std::vector<http::Route> confined_to_own_orders(std::vector<http::Route> routes,
                                                const ApiDependencies& dependencies);

}  // namespace trackops::order::adapters
