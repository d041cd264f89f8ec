// The cache of the responses to GET /api/orders/{id} and .../status. An entry is a hint and at most
// 30 seconds old. No write reads the cache.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "order/app/ports.hpp"
#include "order/domain/order.hpp"
#include "platform/cache/cache.hpp"

namespace trackops::order::adapters {

struct CachedOrder {
    std::int64_t version = 0;
    std::string order;   // the body of GET /api/orders/{id}
    std::string status;  // the body of GET /api/orders/{id}/status
};

// Thread-safe.
class OrderCache {
public:
    // The prefix of the keys in a cache that is shared with others. The order's id follows it.
    static constexpr const char* prefix = "trackops:order:";
    // `cache` and `clock` outlive the OrderCache.
    OrderCache(cache::Cache& cache, const Clock& clock) : cache_(cache), clock_(clock) {}
    // Stores an order that a write has just saved.
    void put(const domain::Order& order) { put(order, order.updated_at); }
    // Stores an order that was the newest at `read_at`, and returns the entry. The entry expires 30
    // seconds after `read_at`, or after now if that is earlier. So a process that was stopped after
    // the read does not store an old entry for longer.
    CachedOrder put(const domain::Order& order, Instant read_at);
    // Returns the entry in the memory of this process, if there is one. Never blocks.
    std::optional<CachedOrder> get_local(domain::OrderId id);
    // Returns one result for each id, in order. Reads the cache first, and then the store for the
    // ids that the cache does not have; their orders are put into the cache. Errors: as
    // OrderStore::find(). Blocks.
    std::vector<Result<CachedOrder>> find(std::span<const domain::OrderId> ids,
                                          app::OrderStore& store);

private:
    cache::Cache& cache_;
    const Clock& clock_;
};

}  // namespace trackops::order::adapters
