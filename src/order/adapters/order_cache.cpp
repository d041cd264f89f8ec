#include "order/adapters/order_cache.hpp"

#include "order/adapters/order_json.hpp"

namespace trackops::order {
namespace {

constexpr Duration time_to_live = std::chrono::seconds(30);

std::string key_of(OrderId id) { return "trackops:order:" + id.text(); }

}  // namespace

// One entry serves both reads: the status's body, a line end (JSON of ours has none), the order's
// body.
void OrderCache::remember(const Order& order) {
    cache_.put(key_of(order.id), {order.version, status_json(order) + '\n' + order_json(order)},
               time_to_live);
}

std::optional<CachedOrder> OrderCache::find(OrderId id) {
    const auto entry = cache_.get(key_of(id));
    if (!entry) return std::nullopt;
    const std::size_t line_end = entry->value.find('\n');
    if (line_end == std::string::npos) return std::nullopt;
    return CachedOrder{entry->version, entry->value.substr(line_end + 1),
                       entry->value.substr(0, line_end)};
}

}  // namespace trackops::order
