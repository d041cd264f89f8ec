// The arithmetic of stock: 0 <= reserved <= on_hand, whatever is asked.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace trackops::inventory::domain {

// The most units of one SKU we keep: far beyond any warehouse, far below overflow.
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

// The stock afterwards, or nothing where the rule forbids it. quantity: 1..max_units; delta:
// -max_units..max_units.
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

// The stock of the SKUs that exist, as far as a batch is concerned with them; in bytewise order.
using StockLevels = std::map<std::string, StockLevel, std::less<>>;

}  // namespace trackops::inventory::domain
