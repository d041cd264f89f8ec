// The log: one JSON object per line on standard error, with time, level, logger, message and
// fields.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace trackops::telemetry {

enum class Level : std::uint8_t { debug, info, warn, error, off };

struct Field {
    // Must be unique within a line. A reserved name (time, level, service, logger, message) gets a
    // trailing "_".
    std::string_view name;
    std::string value;  // written as a JSON string; invalid UTF-8 is replaced
};

// Sets the service name, the minimum level and the format of all later lines. With json = false a
// line is plain text for a terminal, with control characters escaped. Before the first call, levels
// warn and above are logged without a service name. Thread-safe.
void configure_log(std::string_view service, Level level, bool json);
// Writes one entry as exactly one line, in one write. The message and each value are cut at 8 KiB.
// Thread-safe.
void log(Level level, std::string_view logger, std::string_view message,
         std::initializer_list<Field> fields = {});
bool is_logged(Level level);  // false if the configured level suppresses it

}  // namespace trackops::telemetry
