// The log: one JSON object per line on standard error, with time, level, logger, message and
// fields.
#pragma once
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/instant.hpp"
#include "platform/telemetry/export_queue.hpp"
#include "platform/telemetry/span.hpp"

namespace trackops::telemetry {

class Counter;

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
std::string_view name_of(Level level);  // "warn"; not for Level::off

// While it lives, every line of this thread that names no trace carries the fields trace_id and
// span_id of this span. Scopes of a thread nest. Allocates nothing.
class LogScope {
public:
    explicit LogScope(const SpanContext& span);  // `span` outlives the scope
    ~LogScope();
    LogScope(const LogScope&) = delete;
    LogScope& operator=(const LogScope&) = delete;

private:
    const SpanContext* const outer_;
};

// One line as it is exported, with everything that it says. Texts are cut as in the line.
struct LogRecord {
    Instant at;
    Level level = Level::info;
    std::string logger;
    std::string message;
    std::vector<std::pair<std::string, std::string>> fields;
};
std::size_t bytes_of(const LogRecord& record);

// Where lines go besides standard error. A line for which the queue has no room is dropped and
// counted; it still stands on standard error.
struct LogExport {
    std::shared_ptr<ExportQueue<LogRecord>> queue;
    Counter* dropped = nullptr;  // lives until the export ends
};
// From now on every line goes there, too; an empty queue ends that. Thread-safe.
void export_log(LogExport to);
bool is_logged(Level level);  // false if no logger writes such lines

// The name of the logger whose level every logger has that has none of its own.
inline constexpr std::string_view root_logger = "ROOT";
inline constexpr std::size_t loggers_max = 200;  // loggers that are known by name

struct LoggerLevel {
    std::string name;
    std::optional<Level> configured;  // nothing: it has that of ROOT
    Level effective = Level::warn;
};
// Returns ROOT, then by name every logger that has written a line or has a level of its own.
// Thread-safe.
std::vector<LoggerLevel> logger_levels();
// Sets the minimum level of a logger, also of one that has not written a line yet. Nothing takes
// its level away; for ROOT it is that of configure_log() again. Returns false when too many loggers
// have a level. Thread-safe.
bool set_level(std::string_view logger, std::optional<Level> level);

}  // namespace trackops::telemetry
