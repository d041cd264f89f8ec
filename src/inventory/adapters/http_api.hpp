// The inventory API as routes.
#pragma once
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "inventory/app/ports.hpp"
#include "platform/http/router.hpp"
#include "platform/runtime/combiner.hpp"

namespace trackops::inventory::adapters {

// Writes that arrive together share a transaction.
using WriteItemQueue = runtime::Combiner<app::ItemWrite, Result<app::WriteResult>>;

// What the routes use; all of it outlives them.
struct ApiDependencies {
    WriteItemQueue& write_queue;
    app::ItemStore& items;  // for bulk, which brings batches of its own
    app::InventoryReader& reader;
    const Clock& clock;
    Ids& ids;
};
std::vector<http::Route> inventory_routes(ApiDependencies dependencies);

}  // namespace trackops::inventory::adapters
