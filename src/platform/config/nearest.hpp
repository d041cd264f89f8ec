// Which of the known names a mistyped one was meant to be.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace trackops::config {

// The name at most two edits away (insert, drop, replace, swap neighbours), fewer than half its
// characters; of several the nearest.
std::optional<std::string> nearest_name(std::string_view typed, std::span<const std::string> names);

}  // namespace trackops::config
