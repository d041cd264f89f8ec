// What the kinds of settings take, read from text.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "platform/config/settings.hpp"

namespace trackops::config {

std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<bool> parse_flag(std::string_view text);  // true, false, 1, 0

// "30s" and the like, in the largest unit that holds it exactly.
std::string duration_text(std::int64_t milliseconds);
// "1 to 65535", "at least 100ms"; empty where there are no bounds to speak of.
std::string bounds_text(const Setting& setting);
// Why value cannot be the setting's, without showing a secret; nothing if it can.
std::optional<std::string> invalid_reason(const Setting& setting, std::string_view value);

std::string environment_name(std::string_view setting_name);

}  // namespace trackops::config
