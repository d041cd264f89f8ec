// The frame of every server program around its modules: settings, log, signals, readiness, drain
// and exit codes.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/access_settings.hpp"
#include "apps/edge_settings.hpp"
#include "apps/listen_settings.hpp"
#include "apps/telemetry_settings.hpp"
#include "base/instant.hpp"
#include "platform/config/help.hpp"
#include "platform/config/settings.hpp"
#include "platform/service/management.hpp"

namespace trackops::apps {

struct Port {
    std::string_view service;  // "order"; static
    std::uint16_t number = 0;
    std::uint16_t management = 0;  // 0: the management plane has no listener of its own
};

// The services of a running program. The calls come in this order, all from one thread.
class Running {
public:
    virtual ~Running() = default;
    // Prepares everything that needs other servers, such as the schema and the topics. Throws while
    // one of these servers is unavailable, and is then called again.
    virtual void prepare() = 0;
    // Starts to serve and returns the ports. Throws a std::exception with a text that names the
    // fault.
    virtual std::vector<Port> start() = 0;
    // Answers the requests under way within `drain_within`, and stops.
    virtual void stop(Duration drain_within) = 0;
};

struct Program {
    std::string_view name;   // "order-service"
    std::string_view about;  // one line for --help
    std::span<const config::Setting> settings;
    // Makes the program. An exception means exit code 1.
    std::function<std::unique_ptr<Running>(const config::Values&)> make;
    // Returns the ports of the services' APIs, as the settings give them. They are those that the
    // subcommand `health` asks.
    std::function<std::vector<std::uint16_t>(const config::Values&)> ports;
    // Returns the path of the file with the ports that scripts read; "" for none.
    std::function<std::string(const config::Values&)> ports_file = [](const config::Values&) {
        return std::string();
    };
};

// Returns the setting memory-budget in bytes.
std::size_t memory_budget(const config::Values& values);

// The settings that every program has in addition to its own.
inline constexpr auto common_settings = std::to_array<config::Setting>({
    {"disk-free-min", config::Kind::integer, "10",
     "MiB. With less space in the folder of an embedded database the service is not ready.", 0,
     1L << 30},
    {"start-patience", config::Kind::duration, "1m",
     "How long to try again at the start while a server that is needed is away.", 0,
     24L * 3600 * 1000},
    {"memory-budget", config::Kind::integer, "256",
     "MiB that the process may spend on what others send: bodies, queues, messages; then 503.", 16,
     1024 * 1024},
    {"drain", config::Kind::duration, "10s",
     "How long requests under way may take at the end. 20 s later the program is gone, "
     "whatever stands still.",
     0, 600L * 1000},
    {"log-level", config::Kind::text, "info", "debug, info, warn, error or off."},
    {"log-json", config::Kind::flag, "true", "One JSON object a line; --no-log-json for people."},
    {"config", config::Kind::text, "",
     "File with a JSON object of settings, {\"log-level\": \"warn\"}. Flags and the environment "
     "come before it."},
    {"help", config::Kind::flag, "false", "Print this and stop."},
    {"print-config", config::Kind::flag, "false", "Print each setting with its source and stop."},
});

template <std::size_t Own>
constexpr auto with_common_settings(const std::array<config::Setting, Own>& own) {
    std::array<config::Setting, Own + listen_settings.size() + access_settings.size() +
                                    common_settings.size() + edge_settings.size() +
                                    telemetry_settings.size()>
        all{};
    auto* next = all.data();
    for (const config::Setting& row : own) *next++ = row;
    for (const config::Setting& row : listen_settings) *next++ = row;
    for (const config::Setting& row : access_settings) *next++ = row;
    for (const config::Setting& row : common_settings) *next++ = row;
    for (const config::Setting& row : edge_settings) *next++ = row;
    for (const config::Setting& row : telemetry_settings) *next++ = row;
    return all;
}

// Returns what the common settings say of the management plane. A port that is not 0 grows by
// `offset`, for the services of one process.
service::ManagementOptions management_options(const config::Values& values,
                                              std::uint16_t offset = 0);

// Runs the program until SIGTERM or SIGINT. If the first argument is `health`, it asks a running
// program with the same settings instead (ask_health() in health.hpp). Prints
// {"ready":true,"ports":{...}} once it serves and, with --no-log-json, the URL of each service.
// Returns the exit code: 0 after an orderly end, 1 if the program could not start, 2 for bad
// settings. EndSignals ends a program that does not stop.
int run_program(const Program& program, std::span<const std::string> arguments,
                std::span<const std::string> environment);

// The same with the arguments of main().
int run_program(const Program& program, int argc, char** argv);

}  // namespace trackops::apps
