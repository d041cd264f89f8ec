#include "order/adapters/order_cache.hpp"

#include <algorithm>
#include <utility>

#include "order/adapters/order_json.hpp"

namespace trackops::order::adapters {
namespace {

constexpr Duration time_to_live = std::chrono::seconds(30);

// One entry holds both bodies: the status, a line feed and the order. The JSON writer never writes
// a line feed.
// The two bodies share the entry's text, status first.
std::optional<CachedOrder> cached_order(std::optional<cache::Entry> entry) {
    if (!entry) return std::nullopt;
    const std::size_t line_end = entry->value.find('\n');
    if (line_end == std::string::npos) return std::nullopt;
    CachedOrder cached{entry->version, std::move(entry->value), {}};
    cached.status.assign(cached.order, 0, line_end);
    cached.order.erase(0, line_end + 1);
    return cached;
}

}  // namespace

CachedOrder OrderCache::put(const domain::Order& order, Instant read_at) {
    CachedOrder cached{order.version, order_json(order), status_json(order)};
    cache_.put(order.id.text(), {order.version, cached.status + '\n' + cached.order},
               std::min(time_to_live, read_at + time_to_live - clock_.now()));
    return cached;
}

std::optional<CachedOrder> OrderCache::get_local(domain::OrderId id) {
    return cached_order(cache_.get_local(id.text()));
}

std::vector<Result<CachedOrder>> OrderCache::find(std::span<const domain::OrderId> ids,
                                                  app::OrderStore& store) {
    std::vector<std::string> keys;
    for (const domain::OrderId id : ids) keys.push_back(id.text());
    auto entries = cache_.get(keys);
    std::vector<Result<CachedOrder>> found(ids.size());
    std::vector<domain::OrderId> missing;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (auto cached = cached_order(std::move(entries[i]))) {
            found[i] = *std::move(cached);
        } else {
            missing.push_back(ids[i]);
            places.push_back(i);
        }
    }
    if (missing.empty()) return found;
    const Instant asked_at = clock_.now();
    const auto orders = store.find(missing);
    for (std::size_t i = 0; i < missing.size(); ++i) {
        found[places[i]] = orders[i] ? Result<CachedOrder>(put(*orders[i], asked_at))
                                     : std::unexpected(orders[i].error());
    }
    return found;
}

}  // namespace trackops::order::adapters
