// One JSON object a line on standard error: time, level, logger, message, and fields.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace trackops::telemetry {

enum class Level : std::uint8_t { debug, info, warn, error, off };

struct Field {
    // Should be none of time, level, service, logger, message: such a name gets a "_" at its end.
    // Each once a line.
    std::string_view name;
    std::string value;  // written as a JSON string; invalid UTF-8 is replaced
};

// Thread-safe. service names the program in each line. Until it is called, warn and above go out
// without a service. json = false writes a line for a person at a terminal instead, control
// characters escaped.
void configure_log(std::string_view service, Level level, bool json);
// Thread-safe. Whatever the text, an entry is one line, written at once; message and values are cut
// at 8 KiB.
void log(Level level, std::string_view logger, std::string_view message,
         std::initializer_list<Field> fields = {});
bool is_logged(Level level);

}  // namespace trackops::telemetry
