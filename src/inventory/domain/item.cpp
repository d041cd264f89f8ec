#include "inventory/domain/item.hpp"

#include <utility>

#include <fmt/format.h>

namespace trackops::inventory::domain {

namespace {

struct CommandContext {
    const std::optional<Item>& current;
    std::string_view sku;
    Instant now;
};

Result<Item> existing(const CommandContext& at, const VersionCondition& condition) {
    if (!at.current) return fail(Errc::not_found, "there is no item " + std::string(at.sku));
    if (!condition.holds_for(at.current->version)) {
        return fail(Errc::precondition_failed,
                    fmt::format("the item is at version {}", at.current->version));
    }
    return *at.current;
}

void apply_patch(Item& item, const ItemPatch& patch) {
    if (patch.name) item.name = *patch.name;
    if (patch.description) item.description = *patch.description;
    if (patch.category) item.category = *patch.category;
    if (patch.price) item.price = *patch.price;
    if (patch.low_stock_threshold) item.low_stock_threshold = *patch.low_stock_threshold;
}

// Raises the version, unless the command has changed nothing.
ItemChange with_next_version(Item item, const CommandContext& at, std::string reason) {
    if (item != at.current) {
        item.version = at.current ? at.current->version + 1 : 1;
        item.updated_at = at.now;
    }
    return {std::move(item), std::move(reason)};
}

Result<void> check_count(const CommandContext& at, std::optional<std::int64_t> expected) {
    const std::int64_t on_hand = at.current ? at.current->stock.on_hand : 0;
    if (!expected || *expected == on_hand) return {};
    return fail(Errc::conflict,
                fmt::format("{} are on hand, not {} as was expected", on_hand, *expected),
                {{"/expectedOnHand", fmt::format("{} are on hand", on_hand), "mismatch"}});
}

Result<ItemChange> new_item(const CommandContext& at, const ItemPatch& patch, std::int64_t on_hand,
                            const char* reason) {
    if (!patch.name) {
        return fail(Errc::invalid, "a new item needs a name",
                    {{"/name", "is required for a new item", "required"}});
    }
    Item item{.sku = std::string(at.sku), .stock = {on_hand, 0}, .created_at = at.now};
    apply_patch(item, patch);
    return with_next_version(std::move(item), at, reason);
}

Result<ItemChange> apply_to(const CommandContext& at, const CreateItem& command) {
    if (at.current) return fail(Errc::conflict, "there is an item " + at.current->sku + " already");
    return new_item(at, command.patch, command.on_hand, "CREATED");
}

Result<ItemChange> apply_to(const CommandContext& at, const PatchItem& command) {
    Item item = TRY(existing(at, command.condition));
    apply_patch(item, command.patch);
    return with_next_version(std::move(item), at, {});
}

Result<ItemChange> apply_to(const CommandContext& at, const DeleteItem& command) {
    const Item item = TRY(existing(at, command.condition));
    if (item.stock.reserved > 0) {
        return fail(Errc::conflict,
                    std::to_string(item.stock.reserved) + " units of it are reserved for orders");
    }
    return ItemChange{std::nullopt, "DELETED"};
}

Result<ItemChange> apply_to(const CommandContext& at, const AdjustStock& command) {
    Item item = TRY(existing(at, command.condition));
    TRY(check_count(at, command.expected_on_hand));
    const auto after = adjust(item.stock, command.delta);
    if (!after) {
        return fail(
            Errc::conflict,
            fmt::format("of {} on hand {} are reserved; the result must lie between that and {}",
                        item.stock.on_hand, item.stock.reserved, max_units));
    }
    item.stock = *after;
    ItemChange change = with_next_version(std::move(item), at, command.reason);
    change.order_id = command.order_id;
    return change;
}

Result<ItemChange> apply_to(const CommandContext& at, const UpsertItem& command) {
    TRY(check_count(at, command.expected_on_hand));
    if (!at.current) return new_item(at, command.patch, command.on_hand.value_or(0), "BULK");
    Item item = *at.current;
    apply_patch(item, command.patch);
    if (command.on_hand && command.expected_on_hand) item.stock.on_hand = *command.on_hand;
    if (!item.stock.is_valid()) {
        return fail(Errc::conflict, std::to_string(item.stock.reserved) +
                                        " units of it are reserved; fewer cannot be on hand");
    }
    return with_next_version(std::move(item), at, "BULK");
}

}  // namespace

Result<ItemChange> apply(const std::optional<Item>& current, std::string_view sku,
                         const ItemCommand& command, Instant now) {
    const CommandContext at{current, sku, now};
    return std::visit([&](const auto& one) { return apply_to(at, one); }, command);
}

}  // namespace trackops::inventory::domain
