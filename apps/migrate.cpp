#include "apps/migrate.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>

#include "apps/outbound.hpp"
#include "apps/server_urls.hpp"
#include "inventory/application.hpp"
#include "order/application.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/config/help.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::apps {
namespace {

using config::Kind;

constexpr Duration retry_interval = std::chrono::milliseconds(500);

constexpr auto settings = std::to_array<config::Setting>({
    {.name = "order-database-url",
     .kind = Kind::text,
     .default_value = "",
     .help = "The order database, with the rights of its owner; without it that database is left "
             "alone.",
     .secret = true},
    password_setting("order-database-password", "The password for it."),
    {.name = "inventory-database-url",
     .kind = Kind::text,
     .default_value = "",
     .help = "The stock database, in the same way.",
     .secret = true},
    password_setting("inventory-database-password", "The password for it."),
    {"start-patience", Kind::duration, "1m", "How long to try again while a database is away.", 0,
     24L * 3600 * 1000},
    strict_setting,
    {"log-json", Kind::flag, "true", "One JSON object a line; --no-log-json for people."},
    {"config", Kind::text, "", "File with a JSON object of settings."},
    {"help", Kind::flag, "false", "Print this and stop."},
});

constexpr auto usage =
    "trackops migrate [settings]\n"
    "Brings the tables of the databases and the rights of their roles to what this version needs,\n"
    "as a service does at its start. May run again at any time. The databases and the roles\n"
    "(servers/roles.sql) have to be there.\n"
    "Exit code 0: both are as they should be; 1: one could not be migrated; 2: bad settings.\n\n";

struct Target {
    std::string_view name;  // for the log
    std::string_view url_setting;
    std::string_view password_setting;
    void (*migrate)(sql::Database&, telemetry::Registry&);
};
constexpr auto targets =
    std::to_array<Target>({{"order", "order-database-url", "order-database-password",
                            [](sql::Database& database, telemetry::Registry& metrics) {
                                order::migrate(database, metrics);
                            }},
                           {"inventory", "inventory-database-url", "inventory-database-password",
                            [](sql::Database& database, telemetry::Registry& metrics) {
                                inventory::migrate(database, metrics);
                            }}});

bool may_pass(const sql::Failure& failure) {
    return failure.fault == sql::Fault::unavailable || failure.fault == sql::Fault::retryable ||
           failure.fault == sql::Fault::outcome_unknown;
}

// Tries until `until` while the database is unavailable. Throws the last failure.
void migrate_one(const Target& target, const std::string& url,
                 std::chrono::steady_clock::time_point until) {
    telemetry::Registry metrics;
    const auto database = backends::open_database(url, {.connections_max = 1}, metrics);
    for (;;) {
        try {
            target.migrate(*database, metrics);
            telemetry::log(telemetry::Level::info, "migrate", "the database is up to date",
                           {{"database", std::string(target.name)}});
            return;
        } catch (const sql::Failure& failure) {
            if (!may_pass(failure) || std::chrono::steady_clock::now() >= until) throw;
            telemetry::log(telemetry::Level::warn, "migrate",
                           fmt::format("not yet: {}", failure.what()),
                           {{"database", std::string(target.name)}});
        }
        std::this_thread::sleep_for(retry_interval);
    }
}

int print_error(int exit_code, std::string_view text) {
    fmt::print(stderr, "trackops migrate: {}\n", text);
    return exit_code;
}

// Returns the URLs in the order of `targets`, with their passwords.
std::array<std::string, targets.size()> urls_of(const config::Values& values) {
    std::array<std::string, targets.size()> urls;
    for (std::size_t i = 0; i < targets.size(); ++i)
        urls.at(i) =
            url_with_password(values, targets.at(i).url_setting, targets.at(i).password_setting);
    return urls;
}

}  // namespace

int migrate(std::span<const std::string> arguments, std::span<const std::string> environment) {
    const auto values = config::read(settings, arguments, environment);
    if (!values) return print_error(2, values.error().detail);
    if (values->flag("help")) {
        fmt::print("{}{}", usage, config::help(settings));
        return 0;
    }
    telemetry::configure_log("trackops-migrate", telemetry::Level::info, values->flag("log-json"));
    const auto until = std::chrono::steady_clock::now() + values->duration("start-patience");
    try {
        if (const auto fault = password_on_command_line(*values); !fault.empty())
            return print_error(2, fault);
        if (const auto fault = fault_of_links(*values); !fault.empty())
            return print_error(2, fault);
        for (const std::string& link : unverified_links(*values))
            telemetry::log(telemetry::Level::warn, "migrate", link);
        const auto urls = urls_of(*values);
        if (urls[0].empty() && urls[1].empty())
            return print_error(2, "give order-database-url, inventory-database-url or both");
        for (std::size_t i = 0; i < targets.size(); ++i)
            if (!urls.at(i).empty()) migrate_one(targets.at(i), urls.at(i), until);
        return 0;
    } catch (const std::invalid_argument& fault) {
        return print_error(2, fault.what());
    } catch (const std::exception& failure) {
        return print_error(1, failure.what());
    }
}

}  // namespace trackops::apps
