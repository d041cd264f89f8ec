// Settings from a table: flag > environment > file > default. A failed start reports every bad
// setting at once.
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

// A duration is written as 250ms, 30s, 15m, 24h or 7d.
enum class Kind : std::uint8_t { text, integer, duration, flag };

// One row of a program's table. A setting named "order-port" has the flag --order-port and the
// environment variable TRACKOPS_ORDER_PORT. The default of a Kind::flag is "true" or "false";
// --name turns it on and --no-name turns it off. The variable of a setting "otel-service-name" is
// OTEL_SERVICE_NAME, as the OpenTelemetry specification calls it.
struct Setting {
    std::string_view name;  // lower case letters and digits, separated by dashes
    Kind kind;
    std::string_view default_value;
    std::string_view help;
    std::int64_t min = 0;  // bounds of integers, and of durations in milliseconds
    std::int64_t max = INT64_MAX;
    // A secret is masked in all output. TRACKOPS_NAME_FILE may name a file that holds its value: at
    // most 64 KiB, without one line end at its end.
    bool secret = false;
};

class Values {
public:
    // Each accessor throws std::logic_error if the name is not in the table or its value is not of
    // the accessor's kind.
    const std::string& text(std::string_view name) const;
    std::int64_t integer(std::string_view name) const;
    Duration duration(std::string_view name) const;
    bool flag(std::string_view name) const;

    struct SettingValue {
        std::string value;
        // "flag", "environment", "file" (of a secret), "config" (the file of settings), "default"
        std::string source;
        bool secret = false;
        // Returns the value as people may see it: masked when it is a secret or holds a password.
        std::string shown() const;
    };
    std::map<std::string, SettingValue, std::less<>> values;
};

// Reads arguments of the form --name VALUE, --name=VALUE, --flag and --no-flag. A VALUE that begins
// with -- needs the = form. `environment` holds NAME=VALUE strings; of duplicates the first counts.
// Returns Errc::invalid with every fault, in `fields` and again in `detail`: unknown and repeated
// flags, values out of bounds, unknown TRACKOPS_* variables. An unknown name comes with a similar
// known one, if there is one. TRACKOPS_TEST_* variables belong to the tests and are ignored, and so
// are the variables that Kubernetes sets for its Services (service_links.hpp), and OTEL_* variables
// that are empty or not in the table, because other programs share them. No fault shows a secret.
// If the table has a text setting named "config" and that is given, it names a file with a JSON
// object, as in {"log-level": "warn", "port": 8080, "log-json": false}. A value in it counts where
// neither a flag nor a variable gives one. "NAME-file" names the file of a secret.
// Throws std::logic_error if a row of the table is malformed or two rows have the same name.
Result<Values> read(std::span<const Setting> table, std::span<const std::string> arguments,
                    std::span<const std::string> environment);

// Parses "250ms", "30s", "15m", "24h" or "7d"; returns nothing for any other form.
std::optional<Duration> parse_duration(std::string_view text);

}  // namespace trackops::config
