// The order API: routes as rows.
#pragma once
#include <vector>

#include "order/adapters/confirmations.hpp"
#include "order/adapters/order_cache.hpp"
#include "order/app/change_orders.hpp"
#include "order/app/place_orders.hpp"
#include "order/app/ports.hpp"
#include "platform/http/router.hpp"
#include "platform/runtime/combiner.hpp"

namespace trackops::order {

using Placing = runtime::Combiner<PlaceOrder, Result<Receipt>>;
using Changing = runtime::Combiner<ChangeOrder, Result<Receipt>>;
using Finding = runtime::Combiner<OrderId, Result<CachedOrder>>;

// What the handlers use; all of it outlives the routes.
struct ApiParts {
    Placing& placing;
    Changing& changing;
    Finding& finding;
    Confirmations& confirmations;
    OrderCache& cache;
    OrderStore& store;
};

std::vector<http::Route> order_routes(ApiParts parts);

}  // namespace trackops::order
