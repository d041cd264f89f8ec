// Suggests the known name that a mistyped one was meant to be.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace trackops::config {

// Returns the nearest name among those at most two edits (insert, delete, replace, swap of
// neighbours) away. The number of edits must be less than half of the name's length. Returns
// nothing if no name qualifies.
std::optional<std::string> nearest_name(std::string_view typed, std::span<const std::string> names);

}  // namespace trackops::config
