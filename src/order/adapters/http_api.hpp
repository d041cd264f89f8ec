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

namespace trackops::order::adapters {

using Placing = runtime::Combiner<app::PlaceOrder, Result<app::Receipt>>;
using Changing = runtime::Combiner<app::ChangeOrder, Result<app::Receipt>>;
using Finding = runtime::Combiner<domain::OrderId, Result<CachedOrder>>;

// What the handlers use; all of it outlives the routes.
struct ApiParts {
    Placing& placing;
    Changing& changing;
    Finding& finding;
    Confirmations& confirmations;
    OrderCache& cache;
    app::OrderStore& store;
};

std::vector<http::Route> order_routes(ApiParts parts);

}  // namespace trackops::order::adapters
