// The frame of every server program around its modules: settings, log, signals, readiness, drain,
// exit codes.
#pragma once
#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/instant.hpp"
#include "platform/config/settings.hpp"

namespace trackops::apps {

// The part that a program runs. The calls come in this order, all from one thread.
class Running {
public:
    virtual ~Running() = default;
    // Prepares everything that needs other servers: schema, topics. Throws while one of them is
    // away, and is then called again.
    virtual void prepare() = 0;
    // Serves from here on. Returns the ports, as JSON. Throws std::exception saying what is wrong.
    virtual std::string start() = 0;
    // Answers what is under way, within this time, and ends.
    virtual void stop(Duration drain_within) = 0;
};

struct Program {
    std::string_view name;   // "order-service"
    std::string_view about;  // one line for --help
    std::span<const config::Setting> settings;
    std::function<std::unique_ptr<Running>(const config::Values&)> make;  // throws: exit code 1
    // Where a file with the ports is left for scripts; "" for none.
    std::function<std::string(const config::Values&)> ports_file = [](const config::Values&) {
        return std::string();
    };
};

// The settings that every program has, after its own.
inline constexpr auto common_settings = std::to_array<config::Setting>({
    {"address", config::Kind::text, "127.0.0.1",
     "Address to listen on. Until there is a login: loopback only."},
    {"start-patience", config::Kind::duration, "1m",
     "How long to try again at the start while a server that is needed is away.", 0,
     24L * 3600 * 1000},
    {"drain", config::Kind::duration, "10s", "How long requests under way may take at the end.", 0,
     600L * 1000},
    {"log-level", config::Kind::text, "info", "debug, info, warn, error or off."},
    {"log-json", config::Kind::flag, "true", "One JSON object a line; --no-log-json for people."},
    {"help", config::Kind::flag, "false", "Print this and stop."},
    {"print-config", config::Kind::flag, "false", "Print each setting with its source and stop."},
});

template <std::size_t Own>
constexpr auto with_common_settings(const std::array<config::Setting, Own>& own) {
    std::array<config::Setting, Own + common_settings.size()> all{};
    for (std::size_t i = 0; i < Own; ++i) all[i] = own[i];
    for (std::size_t i = 0; i < common_settings.size(); ++i) all[Own + i] = common_settings[i];
    return all;
}

// Runs until SIGTERM or SIGINT. Prints {"ready":true,"ports":{...}} when it serves. Exit code 0
// after an orderly end, 1 when it could not start, 2 for bad settings.
int run_program(const Program& program, std::span<const std::string> arguments,
                std::span<const std::string> environment);

// The same from main().
int run_program(const Program& program, int argc, char** argv);

}  // namespace trackops::apps
