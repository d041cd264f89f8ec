#include "load/command.hpp"

// The command `trackops load`: reads the arguments and prints the report.
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <fmt/format.h>

#include "load/progress.hpp"
#include "load/run.hpp"
#include "platform/config/help.hpp"
#include "platform/config/own_variables.hpp"
#include "platform/config/settings.hpp"

namespace trackops::load {

namespace {

using config::Kind;

constexpr auto settings = std::to_array<config::Setting>({
    {"order-url", Kind::text, "http://127.0.0.1:8080", "where the order service answers"},
    {"inventory-url", Kind::text, "http://127.0.0.1:8081", "where the inventory service answers"},
    {.name = "key",
     .kind = Kind::text,
     .default_value = "",
     .help = "Service key with orders:write, orders:read and, for items, inventory:write; in the "
             "environment (TRACKOPS_KEY) or in a file (TRACKOPS_KEY_FILE) only. Without it the "
             "session of trackops login at the order-url counts",
     .secret = true},
    {"ca-file", Kind::text, "",
     "file with the CAs (PEM) of https URLs; default: those of the system"},
    {"items", Kind::flag, "false", "the file holds stock items, one a line, not order events"},
    {"concurrency", Kind::integer, "64", "requests under way at once", 1, 4096},
    {"rate", Kind::integer, "0", "events a second; 0: as fast as they are accepted", 0, 1'000'000},
    {"wait", Kind::duration, "60s", "for orders to leave PENDING after the last answer", 0,
     86'400'000},
    {"report", Kind::text, "", "a file for the report as JSON"},
});

constexpr auto usage =
    "trackops load FILE|- [settings]\n"
    "Plays order events (or stock items, with --items) from NDJSON over HTTP, waits for their "
    "outcome and reports.\n\n";

bool takes_a_value(std::string_view argument) {
    if (argument.find('=') != std::string_view::npos) return false;
    const auto row = std::ranges::find(settings, argument.substr(2), &config::Setting::name);
    return row != settings.end() && row->kind != Kind::flag;
}

// Returns the arguments that are not flags, and moves the flags into `rest`.
std::vector<std::string> take_files(std::span<const std::string> arguments,
                                    std::vector<std::string>& rest) {
    std::vector<std::string> files;
    for (std::size_t at = 0; at < arguments.size(); ++at) {
        const auto& argument = arguments[at];
        if (!argument.starts_with("--")) {
            files.push_back(argument);
            continue;
        }
        rest.push_back(argument);
        if (takes_a_value(argument) && at + 1 < arguments.size()) rest.push_back(arguments[++at]);
    }
    return files;
}

int print_usage_error(const Error& error) {
    fmt::print(stderr, "trackops load: {}\n", error.detail);
    for (const auto& fault : error.fields)
        fmt::print(stderr, "  {}: {}\n", fault.pointer, fault.detail);
    return 2;
}

// Returns the session that `trackops login` has left for the server; nothing if there is none, or
// for a URL that run_load() refuses.
Result<std::optional<access::ClientSession>> session_of(std::string_view url,
                                                        std::span<const std::string> environment) {
    const auto server = http_client::parse_server(url, "service URL");
    const auto folder = access::session_folder(environment);
    if (!server || !folder) return std::nullopt;
    return access::read_client_session(*folder, *server);
}

Result<LoadReport> play(const LoadOptions& options, const std::string& file) {
    const auto progress = progress_on_stderr();
    if (file == "-") return run_load(options, {std::cin}, progress);
    std::ifstream lines(file, std::ios::binary);
    std::error_code unknown;
    const auto bytes = std::filesystem::file_size(file, unknown);
    if (!lines) return fail(Errc::not_found, fmt::format("cannot read {}", file));
    return run_load(options, {lines, unknown ? -1 : static_cast<std::int64_t>(bytes)}, progress);
}

}  // namespace

int command(std::span<const std::string> arguments, std::span<const std::string> environment) {
    if (std::ranges::find(arguments, "--help") != arguments.end()) {
        fmt::print("{}{}", usage, config::help(settings));
        return 0;
    }
    std::vector<std::string> flags;
    const auto files = take_files(arguments, flags);
    const auto values = config::read(settings, flags, config::own_variables(settings, environment));
    if (!values) return print_usage_error(values.error());
    if (files.size() != 1)
        return print_usage_error({Errc::invalid, "name one FILE, or - for standard input"});
    // Every user who can list processes could read it there.
    if (values->values.at("key").source == "flag")
        return print_usage_error({Errc::invalid, "give the key in the environment or in a file"});
    auto session = values->text("key").empty()
                       ? session_of(values->text("order-url"), environment)
                       : Result<std::optional<access::ClientSession>>(std::nullopt);
    if (!session) return print_usage_error(session.error());
    const LoadOptions options{
        .order_url = values->text("order-url"),
        .inventory_url = values->text("inventory-url"),
        .key = Secret(values->text("key")),
        .ca_file = values->text("ca-file"),
        .session = *std::move(session),
        .items = values->flag("items"),
        .concurrency = static_cast<std::size_t>(values->integer("concurrency")),
        .rate_per_second = values->integer("rate"),
        .wait = values->duration("wait")};
    const auto report = play(options, files.front());
    end_progress_on_stderr();
    if (!report) return print_usage_error(report.error());
    fmt::print("{}", print(*report));
    if (const auto& path = values->text("report"); !path.empty()) {
        std::ofstream out(path);
        out << to_json(*report) << '\n';
        if (!out.flush())
            return print_usage_error({Errc::internal, fmt::format("cannot write {}", path)});
    }
    return report->has_succeeded() ? 0 : 1;
}

}  // namespace trackops::load
