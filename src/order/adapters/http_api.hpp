// The HTTP API of orders and sagas.
#pragma once
#include <vector>

#include "base/clock.hpp"
#include "base/request.hpp"
#include "order/adapters/confirmation_waiters.hpp"
#include "order/adapters/order_cache.hpp"
#include "order/app/change_orders.hpp"
#include "order/app/place_orders.hpp"
#include "order/app/ports.hpp"
#include "platform/http/router.hpp"
#include "platform/runtime/combiner.hpp"

namespace trackops::order::adapters {

using PlaceOrderQueue = runtime::Combiner<app::PlaceOrder, Result<app::SaveResult>>;
using ChangeOrderQueue = runtime::Combiner<app::ChangeOrder, Result<app::SaveResult>>;
using FindOrderQueue = runtime::Combiner<domain::OrderId, Result<CachedOrder>>;

// The dependencies of the handlers. All of them outlive the routes.
struct ApiDependencies {
    PlaceOrderQueue& place_queue;
    ChangeOrderQueue& change_queue;
    FindOrderQueue& find_queue;
    ConfirmationWaiters& confirmation_waiters;
    OrderCache& cache;
    app::OrderStore& store;
    const Clock& clock;
    Duration key_lifetime = idempotency_lifetime_default;
};

// Returns the routes below /api/orders and /api/sagas.
std::vector<http::Route> order_routes(const ApiDependencies& dependencies);
// Returns the same rows with empty handlers.
std::vector<http::Route> order_route_table();

}  // namespace trackops::order::adapters
