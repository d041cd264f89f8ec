#include "inventory/app/write_items.hpp"

namespace trackops::inventory::app {
namespace {

std::size_t bytes_in(const std::optional<std::string>& text) { return text ? text->size() : 0; }

std::size_t bytes_in(const std::optional<std::optional<std::string>>& change) {
    return change ? bytes_in(*change) : 0;
}

std::size_t bytes_in(const domain::ItemPatch& patch) {
    return bytes_in(patch.name) + bytes_in(patch.description) + bytes_in(patch.category);
}

}  // namespace

std::size_t bytes_of(const ItemWrite& write) {
    const std::size_t in_command = std::visit(
        [](const auto& command) {
            if constexpr (requires { command.patch; })
                return bytes_in(command.patch);
            else if constexpr (requires { command.reason; })
                return command.reason.size();
            else
                return std::size_t{0};
        },
        write.command);
    return sizeof write + write.sku.size() + sizeof write.command + 2 * in_command;
}

std::vector<Result<WriteResult>> write_items(std::span<const ItemWrite> writes, ItemStore& store,
                                             const Clock& clock) {
    const Instant now = clock.now();
    const auto decide = [now](const std::optional<domain::Item>& current, const ItemWrite& write) {
        return apply(current, write.sku, write.command, now);
    };
    return store.write(writes, decide, now);
}

}  // namespace trackops::inventory::app
