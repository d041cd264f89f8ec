// The names of a reservation's states and of shortage reasons, in the tables and on the wire.
#pragma once
#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "inventory/domain/reservation.hpp"

namespace trackops::inventory::adapters {

inline constexpr auto reservation_state_names = std::to_array<std::string_view>(
    {"", "RESERVED", "REFUSED", "RELEASED", "FULFILLED", "EXPIRED", "CANCELLED_FIRST"});
static_assert(reservation_state_names.size() == domain::reservation_state_count);

constexpr std::string_view name_of(domain::ReservationState state) {
    return reservation_state_names[static_cast<std::size_t>(state)];
}
// Returns the state with the name; nothing when there is none or the name is "". Case-sensitive.
constexpr std::optional<domain::ReservationState> reservation_state_named(std::string_view name) {
    const auto found = std::ranges::find(reservation_state_names, name);
    if (name.empty() || found == reservation_state_names.end()) return std::nullopt;
    return static_cast<domain::ReservationState>(found - reservation_state_names.begin());
}

inline constexpr auto shortage_reason_names =
    std::to_array<std::string_view>({"INSUFFICIENT_STOCK", "UNKNOWN_SKU"});
constexpr std::string_view name_of(domain::ShortageReason reason) {
    return shortage_reason_names[static_cast<std::size_t>(reason)];
}

}  // namespace trackops::inventory::adapters
