#include "apps/program.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "apps/edge_settings.hpp"
#include "apps/end_signals.hpp"
#include "apps/health.hpp"
#include "apps/listen_settings.hpp"
#include "apps/outbound.hpp"
#include "apps/server_urls.hpp"
#include "apps/tls_settings.hpp"
#include "base/version.hpp"
#include "platform/backends/libraries.hpp"
#include "platform/runtime/open_files.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/url/mask.hpp"
#include "platform/url/url.hpp"

namespace trackops::apps {
namespace {

constexpr Duration prepare_backoff = std::chrono::milliseconds(500);
// After the drain the pumps end their work and the clients of the servers take their leave.
constexpr Duration stop_time = std::chrono::seconds(20);

std::optional<telemetry::Level> level_named(std::string_view name) {
    constexpr auto names =
        std::to_array<std::string_view>({"debug", "info", "warn", "error", "off"});
    const auto* const found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<telemetry::Level>(found - names.begin());
}

// Returns the faults of the settings that their table cannot express; "" for none.
std::string fault_of(const config::Values& values) {
    if (!level_named(values.text("log-level")))
        return "log-level must be debug, info, warn, error or off";
    if (std::string fault = fault_of_listening(values); !fault.empty()) return fault;
    if (std::string fault = fault_of_edge(values); !fault.empty()) return fault;
    if (std::string fault = fault_of_telemetry(values); !fault.empty()) return fault;
    if (std::string fault = fault_of_links(values); !fault.empty()) return fault;
    return password_on_command_line(values);
}

// Calls prepare() until it succeeds. Returns false if a signal arrived first. Throws the exception
// of the last attempt once `patience` is over.
bool prepare(Running& running, EndSignals& ends, Duration patience) {
    const auto end = std::chrono::steady_clock::now() + patience;
    for (;;) {
        try {
            running.prepare();
            return true;
        } catch (const std::runtime_error& failure) {
            if (std::chrono::steady_clock::now() >= end) throw;
            telemetry::log(telemetry::Level::warn, "start",
                           fmt::format("not yet: {}", failure.what()));
        }
        if (ends.wait_for(prepare_backoff)) return false;
    }
}

// Writes the file in which scripts find the ports. A rename puts it in place, so that no script
// reads a partial file.
void write_ports(const std::string& file, const std::string& ports) {
    if (file.empty()) return;
    std::ofstream(file + ".new") << ports << '\n';
    std::filesystem::rename(file + ".new", file);
}

std::string json_of(const std::vector<Port>& ports) {
    std::string json = "{";
    for (const Port& port : ports)
        json += fmt::format("{}\"{}\":{}", json.size() > 1 ? "," : "", port.service, port.number);
    for (const Port& port : ports) {
        if (port.management != 0)
            json += fmt::format(",\"{}-management\":{}", port.service, port.management);
    }
    return json + '}';
}

void print_urls(const std::vector<Port>& ports, std::string_view scheme, std::string_view address) {
    const url::Host host{std::string(address)};
    for (const Port& port : ports)
        fmt::print("{:<10} {}://{}\n", port.service, scheme, host.text(port.number));
}

// Returns how the settings stand to the rules of the start.
std::string stance(const config::Values& values) {
    if (std::string fault = fault_of_listening(values); !fault.empty())
        return "does not start: " + fault;
    if (std::string warning = exposure_warning(values); !warning.empty()) return warning;
    return exposure(values);
}

int print_usage_error(const Program& program, std::string_view text, int exit_code) {
    fmt::print(stderr, "{}: {}\n", program.name, text);
    return exit_code;
}

int serve(const Program& program, const config::Values& values, std::uint64_t open_files_max) {
    std::signal(SIGPIPE, SIG_IGN);
    ::umask(S_IRWXG | S_IRWXO);  // the files of a service hold the data of customers
    if (const auto warning = open_files_warning(values, open_files_max); !warning.empty())
        telemetry::log(telemetry::Level::warn, "start", warning);
    if (const auto warning = exposure_warning(values); !warning.empty())
        telemetry::log(telemetry::Level::warn, "start", warning);
    telemetry::log(telemetry::Level::info, "start", exposure(values));
    for (const std::string& link : unverified_links(values))
        telemetry::log(telemetry::Level::warn, "start", link);
    EndSignals ends(values.duration("drain") + stop_time);
    const std::unique_ptr<Running> running = program.make(values);
    if (!prepare(*running, ends, values.duration("start-patience"))) return 0;
    const std::string file = program.ports_file(values);
    if (!file.empty()) std::filesystem::remove(file);
    const std::vector<Port> ports = running->start();
    write_ports(file, json_of(ports));
    fmt::print("{{\"ready\":true,\"ports\":{}}}\n", json_of(ports));
    if (!values.flag("log-json"))
        print_urls(ports, has_tls(values) ? "https" : "http", listen_address(values));
    std::fflush(stdout);
    ends.wait();
    telemetry::log(telemetry::Level::info, "end", "draining");
    running->stop(values.duration("drain"));
    return 0;
}

int run_health(const Program& program, std::span<const std::string> arguments,
               std::span<const std::string> environment) {
    const auto values = config::read(program.settings, arguments, environment);
    if (!values) return print_usage_error(program, values.error().detail, 2);
    if (const std::string fault = fault_of(*values); !fault.empty())
        return print_usage_error(program, fault, 2);
    return ask_health(*values, program.ports(*values));
}

}  // namespace

service::ManagementOptions management_options(const config::Values& values, std::uint16_t offset) {
    constexpr std::uint64_t mebibyte = 1U << 20;
    service::ManagementOptions options;
    options.listen = management_listen_address(values);
    options.access_warning = exposure_warning(values);
    if (options.listen && options.listen->port != 0)
        options.listen->port = static_cast<std::uint16_t>(options.listen->port + offset);
    options.disk_free_min_bytes =
        static_cast<std::uint64_t>(values.integer("disk-free-min")) * mebibyte;
    for (const auto& [name, given] : values.values)
        options.settings.push_back({name, given.shown(), given.source});
    options.libraries = backends::libraries();
    return options;
}

std::size_t memory_budget(const config::Values& values) {
    return static_cast<std::size_t>(values.integer("memory-budget")) * 1024 * 1024;
}

int run_program(const Program& program, std::span<const std::string> arguments,
                std::span<const std::string> environment) {
    if (!arguments.empty() && arguments.front() == "health")
        return run_health(program, arguments.subspan(1), environment);
    const auto values = config::read(program.settings, arguments, environment);
    if (!values) return print_usage_error(program, values.error().detail, 2);
    const std::uint64_t open_files_max = runtime::raise_open_files_max();
    if (values->flag("help")) {
        fmt::print(
            "{}: {}\n\n  health  as the first argument: ask the running program whether it is "
            "ready (exit code 0 or 1)\n\n{}",
            program.name, program.about, config::help(program.settings));
        return 0;
    }
    if (values->flag("print-config")) {
        fmt::print("{}", config::print(program.settings, *values));
        const auto warning = open_files_warning(*values, open_files_max);
        if (!warning.empty()) fmt::print("# {}\n", warning);
        fmt::print("# {}\n", stance(*values));
        for (const std::string& link : unverified_links(*values)) fmt::print("# {}\n", link);
        return 0;
    }
    if (const std::string fault = fault_of(*values); !fault.empty())
        return print_usage_error(program, fault, 2);
    telemetry::configure_log(program.name, *level_named(values->text("log-level")),
                             values->flag("log-json"));
    try {
        return serve(program, *values, open_files_max);
    } catch (const std::exception& failure) {
        return print_usage_error(program, failure.what(), 1);
    }
}

int run_program(const Program& program, int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    std::vector<std::string> environment;
    for (char** variable = environ; *variable != nullptr; ++variable)
        environment.emplace_back(*variable);
    if (arguments.size() == 1 && arguments.front() == "--version") {
        fmt::print("{}\n", version);
        return 0;
    }
    return run_program(program, arguments, environment);
}

}  // namespace trackops::apps
