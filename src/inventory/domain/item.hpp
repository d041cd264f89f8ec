// An item of the catalogue with its stock level, and the commands on items.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/instant.hpp"
#include "base/result.hpp"
#include "base/version_condition.hpp"
#include "inventory/domain/order_id.hpp"
#include "inventory/domain/stock.hpp"

namespace trackops::inventory::domain {

struct Price {
    std::int64_t unit_amount_minor = 0;
    std::string currency;
    bool operator==(const Price&) const = default;
};

struct Item {
    std::string sku;
    std::string name;
    std::optional<std::string> description;
    std::optional<std::string> category;
    std::optional<Price> price;
    std::optional<std::int64_t> low_stock_threshold;
    StockLevel stock;
    std::int64_t version = 1;
    Instant created_at;
    Instant updated_at;
    bool operator==(const Item&) const = default;
};

// The values that a command sets. An empty optional leaves the member unchanged; an optional that
// holds an empty optional clears it.
struct ItemPatch {
    std::optional<std::string> name;
    std::optional<std::optional<std::string>> description;
    std::optional<std::optional<std::string>> category;
    std::optional<std::optional<Price>> price;
    std::optional<std::optional<std::int64_t>> low_stock_threshold;
};

struct CreateItem {
    ItemPatch patch;
    std::int64_t on_hand = 0;
};
struct PatchItem {
    ItemPatch patch;
    VersionCondition condition;
};
struct DeleteItem {
    VersionCondition condition;
};
struct AdjustStock {
    std::int64_t delta = 0;
    std::string reason;
    std::optional<std::int64_t> expected_on_hand;
    VersionCondition condition;
    std::optional<OrderId> order_id = {};  // the order that it is about, for the ledger
};
// Creates the item, or sets the given values of an existing item.
struct UpsertItem {
    ItemPatch patch;
    // The count of a new item. The count of an existing item changes only with `expected_on_hand`.
    std::optional<std::int64_t> on_hand;
    // The command applies only if this number is on hand; an item that does not exist has none.
    std::optional<std::int64_t> expected_on_hand = {};
};
using ItemCommand = std::variant<CreateItem, PatchItem, DeleteItem, AdjustStock, UpsertItem>;

struct ItemChange {
    std::optional<Item> item;              // empty after a deletion
    std::string reason;                    // the reason in the ledger, when on hand has changed
    std::optional<OrderId> order_id = {};  // the order in the ledger
};

// Returns the item after the command. `current` is the item before it, empty when there is none.
// Errc::not_found; Errc::conflict when the item exists already or its stock level forbids the
// command; Errc::precondition_failed when the condition does not hold for its version;
// Errc::invalid when a new item has no name.
Result<ItemChange> apply(const std::optional<Item>& current, std::string_view sku,
                         const ItemCommand& command, Instant now);

}  // namespace trackops::inventory::domain
