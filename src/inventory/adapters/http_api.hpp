// The HTTP API of items, stock levels and reservations.
#pragma once
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/request.hpp"
#include "inventory/app/ports.hpp"
#include "platform/http/router.hpp"
#include "platform/runtime/combiner.hpp"

namespace trackops::inventory::adapters {

// Writes that arrive together share a transaction.
using WriteItemQueue = runtime::Combiner<app::ItemWrite, Result<app::WriteResult>>;

// The dependencies of the handlers. All of them outlive the routes.
struct ApiDependencies {
    WriteItemQueue& write_queue;
    app::ItemStore& items;  // for the bulk upsert, which forms its own batches
    app::InventoryReader& reader;
    const Clock& clock;
    Ids& ids;
    Duration key_lifetime = idempotency_lifetime_default;
};
// Returns the routes below /api/inventory.
std::vector<http::Route> inventory_routes(const ApiDependencies& dependencies);
// Returns the same rows with empty handlers.
std::vector<http::Route> inventory_route_table();

}  // namespace trackops::inventory::adapters
