// Orders as they are answered, in the cache: a hint of at most half a minute, never asked by a
// write.
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
    // Of the entries where others keep theirs, too; the rest of a key is the order's id.
    static constexpr const char* prefix = "trackops:order:";
    // Both outlive it.
    OrderCache(cache::Cache& cache, const Clock& clock) : cache_(cache), clock_(clock) {}
    // What a write has just made of it.
    void put(const domain::Order& order) { put(order, order.updated_at); }
    // It was the newest at `read_at`, and is forgotten half a minute after that: a process that
    // stood still in between brings nothing old back for longer.
    CachedOrder put(const domain::Order& order, Instant read_at);
    // In the memory of this process; never waits.
    std::optional<CachedOrder> get_local(domain::OrderId id);
    // One answer an id, in order: from the cache, the rest from the store, which the cache then
    // knows. Blocks.
    std::vector<Result<CachedOrder>> find(std::span<const domain::OrderId> ids,
                                          app::OrderStore& store);

private:
    cache::Cache& cache_;
    const Clock& clock_;
};

}  // namespace trackops::order::adapters
