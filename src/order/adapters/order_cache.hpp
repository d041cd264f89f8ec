// Orders as they are answered, in the cache: a hint of at most half a minute, never asked by a
// write.
#pragma once
#include <optional>
#include <string>

#include "order/domain/order.hpp"
#include "platform/cache/cache.hpp"

namespace trackops::order {

struct CachedOrder {
    std::int64_t version = 0;
    std::string order;   // the body of GET /api/orders/{id}
    std::string status;  // the body of GET /api/orders/{id}/status
};

// Thread-safe.
class OrderCache {
public:
    explicit OrderCache(cache::Cache& cache) : cache_(cache) {}
    void remember(const Order& order);
    std::optional<CachedOrder> find(OrderId id);

private:
    cache::Cache& cache_;
};

}  // namespace trackops::order
