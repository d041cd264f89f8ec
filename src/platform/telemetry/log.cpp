#include "platform/telemetry/log.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "base/hex.hpp"
#include "base/instant.hpp"
#include "platform/json/escape.hpp"
#include "platform/telemetry/metrics.hpp"
#include "platform/telemetry/utf8.hpp"

namespace trackops::telemetry {
namespace {

constexpr std::size_t value_bytes_max = 8192;

struct LevelWords {
    std::string_view json;
    std::string_view terminal;
    spdlog::level::level_enum spdlog;
};
constexpr auto level_words = std::to_array<LevelWords>({{"debug", "DEBUG", spdlog::level::debug},
                                                        {"info", "INFO ", spdlog::level::info},
                                                        {"warn", "WARN ", spdlog::level::warn},
                                                        {"error", "ERROR", spdlog::level::err}});
static_assert(level_words.size() == static_cast<std::size_t>(Level::off));

const LevelWords& words(Level level) { return level_words[static_cast<std::size_t>(level)]; }

struct Log {
    Log() : out("", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
        out.set_pattern("%v");
        out.set_level(spdlog::level::trace);  // our own levels filter
        out.flush_on(spdlog::level::warn);
    }
    Level level_of(std::string_view logger) const {
        const auto own = levels.find(logger);
        return own == levels.end() ? root.load(std::memory_order_relaxed) : own->second;
    }
    void set_lowest() {
        Level level = root;
        for (const auto& [name, own] : levels) level = std::min(level, own);
        lowest = level;
    }

    std::atomic<Level> root{Level::warn};
    std::atomic<Level> lowest{Level::warn};  // of all loggers: below it nothing takes the lock
    std::mutex mutex;                        // guards the members below, and changes of those above
    Level configured = Level::warn;          // the level of ROOT at the start
    std::map<std::string, Level, std::less<>> levels;  // of loggers with one of their own
    std::set<std::string, std::less<>> seen;           // loggers that have written a line
    std::string service;
    bool json = true;
    LogExport exported;
    spdlog::logger out;
};

// Never destroyed, because threads may still log while main returns.
Log& the_log() {
    static Log& log = *new Log;
    return log;
}

// The span of the thread's innermost LogScope; null outside.
thread_local const SpanContext* scope_span = nullptr;

std::string_view cut(std::string_view text) {
    if (text.size() <= value_bytes_max) return text;
    std::size_t end = value_bytes_max;
    while (end > value_bytes_max - 4 && (text[end] & 0xC0) == 0x80)
        --end;  // does not cut inside a character
    return text.substr(0, end);
}

// Escapes the characters that a JSON string, a line or a terminal must not contain: quotes,
// backslashes, C0 and C1 controls, and Unicode's two line separators.
void append_character(std::string& out, std::string_view character) {
    const auto byte = static_cast<unsigned char>(character[0]);
    if (byte < 0x20 || byte == 0x7F || byte == '"' || byte == '\\') {
        json::append_escape(out, byte);
    } else if (character.size() == 2 && byte == 0xC2 &&
               static_cast<unsigned char>(character[1]) < 0xA0) {
        json::append_escape(out, static_cast<unsigned char>(character[1]));
    } else if (character == "\u2028") {
        json::append_escape(out, u'\u2028');
    } else if (character == "\u2029") {
        json::append_escape(out, u'\u2029');
    } else {
        out += character;
    }
}

void append_escaped(std::string& out, std::string_view text) {
    std::string_view rest = cut(text);
    const std::size_t left_out = text.size() - rest.size();
    while (!rest.empty()) {
        const Utf8Step step = first_character(rest);
        if (step.valid) {
            append_character(out, rest.substr(0, step.bytes));
        } else {
            out += "\uFFFD";
        }
        rest.remove_prefix(step.bytes);
    }
    if (left_out > 0) fmt::format_to(std::back_inserter(out), "... ({} bytes more)", left_out);
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
    out += out.empty() ? "{\"" : ",\"";
    append_escaped(out, name);
    out += "\":\"";
    append_escaped(out, value);
    out += '"';
}

struct Entry {
    Instant at;
    Level level;
    std::string_view service;
    std::string_view logger;
    std::string_view message;
    std::span<const Field> fields;
};

std::string json_line(const Entry& entry) {
    constexpr auto taken =
        std::to_array<std::string_view>({"time", "level", "service", "logger", "message"});
    std::string out;
    append_member(out, "time", entry.at.text());
    append_member(out, "level", words(entry.level).json);
    if (!entry.service.empty()) append_member(out, "service", entry.service);
    append_member(out, "logger", entry.logger);
    append_member(out, "message", entry.message);
    for (const Field& field : entry.fields) {
        const bool is_taken = std::ranges::find(taken, field.name) != taken.end();
        append_member(out, std::string(field.name) + (is_taken ? "_" : ""), field.value);
    }
    out += '}';
    return out;
}

// Formats a line such as: 23:57:00.123456 WARN  order-service sql: statement was slow
// (statement="order.load" ms="812")
std::string terminal_line(const Entry& entry) {
    constexpr std::size_t date_characters = 11;
    std::string out = entry.at.text().substr(date_characters, 15);
    out += ' ';
    out += words(entry.level).terminal;
    out += ' ';
    if (!entry.service.empty()) {
        append_escaped(out, entry.service);
        out += ' ';
    }
    append_escaped(out, entry.logger);
    out += ": ";
    append_escaped(out, entry.message);
    std::string_view before = " (";
    for (const Field& field : entry.fields) {
        out += std::exchange(before, " ");
        append_escaped(out, field.name);
        out += "=\"";
        append_escaped(out, field.value);
        out += '"';
    }
    if (entry.fields.size() > 0) out += ')';
    return out;
}

std::vector<Field> with_scope(std::initializer_list<Field> fields) {
    std::vector<Field> all(fields);
    if (scope_span == nullptr || !scope_span->is_valid() ||
        std::ranges::find(all, "trace_id", &Field::name) != all.end())
        return all;
    all.push_back({"trace_id", hex(scope_span->trace_id)});
    all.push_back({"span_id", hex(scope_span->span_id)});
    return all;
}

LogRecord record_of(const Entry& entry) {
    LogRecord record{.at = entry.at,
                     .level = entry.level,
                     .logger = std::string(entry.logger),
                     .message = valid_utf8(cut(entry.message)),
                     .fields = {}};
    record.fields.reserve(entry.fields.size());
    for (const Field& field : entry.fields)
        record.fields.emplace_back(field.name, valid_utf8(cut(field.value)));
    return record;
}

}  // namespace

void configure_log(std::string_view service, Level level, bool json) {
    Log& log = the_log();
    const std::scoped_lock lock(log.mutex);
    log.service = service;
    log.json = json;
    log.configured = level;
    log.root = level;
    log.set_lowest();
}

bool is_logged(Level level) {
    return level != Level::off && level >= the_log().lowest.load(std::memory_order_relaxed);
}

std::vector<LoggerLevel> logger_levels() {
    Log& log = the_log();
    const std::scoped_lock lock(log.mutex);
    std::map<std::string_view, std::optional<Level>> names;
    for (const std::string& name : log.seen) names[name];
    for (const auto& [name, level] : log.levels) names[name] = level;
    std::vector<LoggerLevel> all{{std::string(root_logger), log.root.load(), log.root.load()}};
    for (const auto& [name, level] : names)
        all.push_back({std::string(name), level, log.level_of(name)});
    return all;
}

bool set_level(std::string_view logger, std::optional<Level> level) {
    Log& log = the_log();
    const std::scoped_lock lock(log.mutex);
    if (logger == root_logger) {
        log.root = level.value_or(log.configured);
    } else if (level) {
        const bool is_known = log.levels.contains(logger);
        if (!is_known && log.levels.size() >= loggers_max) return false;
        log.levels.insert_or_assign(std::string(logger), *level);
    } else if (const auto found = log.levels.find(logger); found != log.levels.end()) {
        log.levels.erase(found);
    }
    log.set_lowest();
    return true;
}

std::string_view name_of(Level level) { return words(level).json; }

LogScope::LogScope(const SpanContext& span) : outer_(std::exchange(scope_span, &span)) {}

LogScope::~LogScope() { scope_span = outer_; }

std::size_t bytes_of(const LogRecord& record) {
    std::size_t bytes = sizeof record + record.logger.size() + record.message.size();
    for (const auto& [name, value] : record.fields)
        bytes += sizeof(std::pair<std::string, std::string>) + name.size() + value.size();
    return bytes;
}

void export_log(LogExport to) {
    Log& log = the_log();
    const std::scoped_lock lock(log.mutex);
    log.exported = std::move(to);
}

void log(Level level, std::string_view logger, std::string_view message,
         std::initializer_list<Field> fields) {
    Log& log = the_log();
    if (level == Level::off || level < log.lowest.load(std::memory_order_relaxed)) return;
    std::string service;
    bool json = true;
    LogExport exported;
    {
        const std::scoped_lock lock(log.mutex);
        if (level < log.level_of(logger)) return;
        if (log.seen.size() < loggers_max && !log.seen.contains(logger)) log.seen.emplace(logger);
        service = log.service;
        json = log.json;
        exported = log.exported;
    }
    const std::vector<Field> all = with_scope(fields);
    const auto now =
        std::chrono::floor<Duration>(std::chrono::system_clock::now().time_since_epoch());
    const Entry entry{{now.count()}, level, service, logger, message, all};
    log.out.log(words(level).spdlog, json ? json_line(entry) : terminal_line(entry));
    if (exported.queue && !exported.queue->put(record_of(entry))) exported.dropped->add();
}

}  // namespace trackops::telemetry
