// The arithmetic of stock levels, which keeps 0 <= reserved <= on_hand <= max_units.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace trackops::inventory::domain {

// The maximum number of units of one SKU: far above any warehouse, far below an overflow.
inline constexpr std::int64_t max_units = 1'000'000'000'000;

struct StockLevel {
    std::int64_t on_hand = 0;
    std::int64_t reserved = 0;

    constexpr std::int64_t available() const { return on_hand - reserved; }
    constexpr bool is_valid() const {
        return 0 <= reserved && reserved <= on_hand && on_hand <= max_units;
    }
    bool operator==(const StockLevel&) const = default;
};

constexpr std::optional<StockLevel> if_valid(StockLevel stock) {
    return stock.is_valid() ? std::optional(stock) : std::nullopt;
}

// Return the stock level afterwards, or nothing when it would be invalid. quantity: 1..max_units +
// 1; delta: -max_units..max_units.
constexpr std::optional<StockLevel> hold(StockLevel stock, std::int64_t quantity) {
    return if_valid({stock.on_hand, stock.reserved + quantity});
}
constexpr std::optional<StockLevel> release(StockLevel stock, std::int64_t quantity) {
    return if_valid({stock.on_hand, stock.reserved - quantity});
}
constexpr std::optional<StockLevel> ship(StockLevel stock, std::int64_t quantity) {
    return if_valid({stock.on_hand - quantity, stock.reserved - quantity});
}
constexpr std::optional<StockLevel> adjust(StockLevel stock, std::int64_t delta) {
    return if_valid({stock.on_hand + delta, stock.reserved});
}

// The stock levels of the SKUs of a batch, in bytewise order. A SKU that does not exist is missing.
using StockLevels = std::map<std::string, StockLevel, std::less<>>;

}  // namespace trackops::inventory::domain
