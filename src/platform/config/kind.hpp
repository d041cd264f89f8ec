// Parses, checks and describes the values of each kind of setting.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "platform/config/settings.hpp"

namespace trackops::config {

std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<bool> parse_flag(std::string_view text);  // accepts true, false, 1, 0

// Returns the duration in the largest unit that holds it exactly, e.g. "30s".
std::string duration_text(std::int64_t milliseconds);
// Returns the bounds, e.g. "1 to 65535" or "at least 100ms"; empty if the setting has none.
std::string bounds_text(const Setting& setting);
// Returns the reason why `value` is not valid for the setting, without showing a secret; nothing if
// it is valid.
std::optional<std::string> invalid_reason(const Setting& setting, std::string_view value);

// Whether the setting is one that the OpenTelemetry specification names: "otel-service-name".
bool is_of_opentelemetry(std::string_view setting_name);

// Returns e.g. TRACKOPS_ORDER_PORT for "order-port", and OTEL_SERVICE_NAME for "otel-service-name".
std::string environment_name(std::string_view setting_name);

}  // namespace trackops::config
