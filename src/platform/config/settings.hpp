// Settings from a table: flag > environment > default. A bad start names every bad setting at once.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/instant.hpp"
#include "base/result.hpp"

namespace trackops::config {

enum class Kind : std::uint8_t {
    text,
    integer,
    duration,
    flag
};  // duration: 250ms, 30s, 15m, 24h, 7d

// One row of a program's table. name "order-port" is the flag --order-port and the environment
// variable TRACKOPS_ORDER_PORT. A flag's default is "true" or "false"; --name turns it on,
// --no-name off.
struct Setting {
    std::string_view name;  // lower case, digits, dashes between
    Kind kind;
    std::string_view default_value;
    std::string_view help;
    std::int64_t min = 0;  // of integers; of durations in milliseconds
    std::int64_t max = INT64_MAX;
    bool secret = false;  // masked wherever it would be shown; TRACKOPS_NAME_FILE may name a file
                          // that holds it
};

class Values {
public:
    // Each std::logic_error for a name that is not in the table, or whose value is not of that
    // kind.
    const std::string& text(std::string_view name) const;
    std::int64_t integer(std::string_view name) const;
    Duration duration(std::string_view name) const;
    bool flag(std::string_view name) const;

    struct SettingValue {
        std::string value;
        std::string source;  // "flag", "environment", "file", "default"
    };
    std::map<std::string, SettingValue, std::less<>> values;
};

// Reads arguments of the form --name VALUE, --name=VALUE, --flag, --no-flag. A VALUE that begins
// with -- needs the = form. Errc::invalid names every fault, in `fields` and once more in `detail`:
// unknown and repeated flags, values out of bounds, unknown TRACKOPS_* variables (each with the
// nearest name; TRACKOPS_TEST_* belong to the tests and are passed over). No fault shows a secret.
// environment: NAME=VALUE strings, of doubles the first. std::logic_error for a table with a
// malformed row, or two of one name.
Result<Values> read(std::span<const Setting> table, std::span<const std::string> arguments,
                    std::span<const std::string> environment);

// Two columns, wrapped at 100, as --help prints it.
std::string help(std::span<const Setting> table);
// name = value (source), secrets masked, as --print-config prints it.
std::string print(std::span<const Setting> table, const Values& values);

// "250ms", "30s", "15m", "24h", "7d"; nothing for anything else.
std::optional<Duration> parse_duration(std::string_view text);

}  // namespace trackops::config
