#include "inventory/app/write_items.hpp"

namespace trackops::inventory::app {

std::vector<Result<WriteResult>> write_items(std::span<const ItemWrite> writes, ItemStore& store,
                                             const Clock& clock) {
    const Instant now = clock.now();
    const auto decide = [now](const std::optional<domain::Item>& current, const ItemWrite& write) {
        return apply(current, write.sku, write.command, now);
    };
    return store.write(writes, decide, now);
}

}  // namespace trackops::inventory::app
