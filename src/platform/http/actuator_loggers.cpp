#include "platform/http/actuator_loggers.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "platform/http/actuator_metrics.hpp"
#include "platform/http/problem.hpp"
#include "platform/json/object_reader.hpp"
#include "platform/json/writer.hpp"
#include "platform/telemetry/log.hpp"

namespace trackops::http {
namespace {

using telemetry::Level;
using telemetry::LoggerLevel;

constexpr std::size_t name_bytes_max = 100;

// Spring's words, in the order of the enumerators.
constexpr auto level_names =
    std::to_array<std::string_view>({"DEBUG", "INFO", "WARN", "ERROR", "OFF"});
static_assert(level_names.size() == static_cast<std::size_t>(Level::off) + 1);

constexpr std::string_view spring_name_of(Level level) {
    return level_names.at(static_cast<std::size_t>(level));
}

bool is_level(std::string_view text) {
    return std::ranges::find(level_names, text) != level_names.end();
}

void write_logger(json::Writer& writer, const LoggerLevel& logger) {
    writer.begin_object();
    if (logger.configured) writer.member("configuredLevel", spring_name_of(*logger.configured));
    writer.member("effectiveLevel", spring_name_of(logger.effective)).end_object();
}

Response json_of(const Request& request, std::string body) {
    return {.content_type = std::string(actuator_type(request)), .body = std::move(body)};
}

}  // namespace

Response all_loggers(const Request& request) {
    std::string body;
    json::Writer writer(body);
    writer.begin_object().name("levels").begin_array();
    for (auto name = level_names.rbegin(); name != level_names.rend(); ++name) writer.value(*name);
    writer.end_array().name("loggers").begin_object();
    for (const LoggerLevel& logger : telemetry::logger_levels())
        write_logger(writer.name(logger.name), logger);
    writer.end_object().name("groups").begin_object().end_object().end_object();
    return json_of(request, std::move(body));
}

Response one_logger(const Request& request) {
    const auto all = telemetry::logger_levels();
    const auto found = std::ranges::find(all, request.param("name"), &LoggerLevel::name);
    if (found == all.end()) return problem({Errc::not_found, "no such logger"}, request);
    std::string body;
    json::Writer writer(body);
    write_logger(writer, *found);
    return json_of(request, std::move(body));
}

Response set_logger(const Request& request) {
    const std::string_view name = request.param("name");
    if (name.size() > name_bytes_max)
        return problem({Errc::invalid, "no logger has so long a name"}, request);
    const auto level = json::read_object(request.body, [](json::ObjectReader& in) {
        return in.maybe_text(
            "configuredLevel",
            {.is_valid = is_level, .expected = "must be OFF, ERROR, WARN, INFO or DEBUG"});
    });
    if (!level) return problem(level.error(), request);
    std::optional<Level> chosen;
    if (*level)
        chosen = static_cast<Level>(std::ranges::find(level_names, **level) - level_names.begin());
    if (!telemetry::set_level(name, chosen)) {
        return problem(
            {Errc::invalid, "too many loggers have a level of their own: take some away"}, request);
    }
    return {.status = 204};
}

}  // namespace trackops::http
