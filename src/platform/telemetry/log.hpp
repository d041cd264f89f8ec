// One JSON object a line on standard error: time, level, logger, message, and fields.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace trackops::telemetry {

enum class Level : std::uint8_t { debug, info, warn, error, off };

struct Field {
    std::string_view name;
    std::string value;  // written as a JSON string; invalid UTF-8 is replaced
};

// Thread-safe. service names the program in each line. Until it is called, warn and above go out without a service.
void configure_log(std::string_view service, Level level, bool json);
void log(Level level, std::string_view logger, std::string_view message, std::initializer_list<Field> fields = {});
bool is_logged(Level level);

}  // namespace trackops::telemetry
