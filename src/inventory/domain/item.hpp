// An item of the catalogue with its stock, and what each command makes of it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/instant.hpp"
#include "base/result.hpp"
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

// What a command says about an item's words. Nothing: leave it; an optional that holds nothing:
// clear it.
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
    std::optional<std::int64_t> if_version;
};
struct DeleteItem {
    std::optional<std::int64_t> if_version;
};
struct AdjustStock {
    std::int64_t delta = 0;
    std::string reason;
    std::optional<std::int64_t> expected_on_hand;
    std::optional<std::int64_t> if_version;
};
// Creates the item or sets what is given.
struct UpsertItem {
    ItemPatch patch;
    std::optional<std::int64_t> on_hand;
};
using ItemCommand = std::variant<CreateItem, PatchItem, DeleteItem, AdjustStock, UpsertItem>;

struct ItemChange {
    std::optional<Item> item;  // nothing: there is none any more
    std::string reason;        // of the ledger's row, when on-hand changed
};

// What the command makes of the item as it is (or of its absence). Errc::not_found, conflict,
// precondition_failed, invalid.
Result<ItemChange> apply(const std::optional<Item>& current, std::string_view sku,
                         const ItemCommand& command, Instant now);

}  // namespace trackops::inventory::domain
