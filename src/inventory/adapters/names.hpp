// The words for a reservation's state, in tables and on the wire.
#pragma once
#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "inventory/domain/reservation.hpp"

namespace trackops::inventory::adapters {

inline constexpr auto state_names = std::to_array<std::string_view>(
    {"", "RESERVED", "REFUSED", "RELEASED", "FULFILLED", "EXPIRED", "CANCELLED_FIRST"});
static_assert(state_names.size() == domain::state_count);

constexpr std::string_view name_of(domain::State state) {
    return state_names[static_cast<std::size_t>(state)];
}
constexpr std::optional<domain::State> state_named(std::string_view name) {
    const auto found = std::ranges::find(state_names, name);
    if (name.empty() || found == state_names.end()) return std::nullopt;
    return static_cast<domain::State>(found - state_names.begin());
}

inline constexpr auto lack_names =
    std::to_array<std::string_view>({"INSUFFICIENT_STOCK", "UNKNOWN_SKU"});
constexpr std::string_view name_of(domain::Lack lack) {
    return lack_names[static_cast<std::size_t>(lack)];
}

}  // namespace trackops::inventory::adapters
