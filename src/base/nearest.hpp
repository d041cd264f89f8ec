// Suggests the known name that a mistyped one was meant to be.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace trackops {

// Returns the name that differs from `typed` only in case, '_' and '-'. Otherwise returns the
// nearest name among those at most two edits (insert, delete, replace, swap of neighbours) away.
// The number of edits must be less than half of the name's length. Returns nothing if no name
// qualifies. The result is one of `names`.
std::optional<std::string_view> nearest_name(std::string_view typed,
                                             std::span<const std::string_view> names);

// Returns "known are a, b, c" of the names, which are not empty.
std::string known_names(std::span<const std::string_view> names);

}  // namespace trackops
