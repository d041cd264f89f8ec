// The HTTP API of customers and their addresses.
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "order/app/customer_ports.hpp"
#include "platform/http/router.hpp"

namespace trackops::order::adapters {

// The dependencies of the handlers. All of them outlive the routes.
struct CustomerApiDependencies {
    app::CustomerStore& store;
    const Clock& clock;
    Ids& ids;
    Duration key_lifetime;
    app::OrderStore& orders;
    domain::SagaTimeouts timeouts;
    // Gets the orders whose personal data was erased.
    std::function<void(std::span<const domain::Order>)> on_orders_erased;
};

// Returns the routes below /api/customers.
std::vector<http::Route> customer_routes(const CustomerApiDependencies& dependencies);
// Returns the same rows with empty handlers.
std::vector<http::Route> customer_route_table();

}  // namespace trackops::order::adapters
