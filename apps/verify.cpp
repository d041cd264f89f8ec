#include "apps/verify.hpp"

// The command `trackops verify`: reads the arguments and prints a table of the invariants.
#include <array>
#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "apps/outbound.hpp"
#include "apps/server_urls.hpp"
#include "inventory/application.hpp"
#include "order/application.hpp"
#include "platform/audit_log/chain.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/config/help.hpp"
#include "platform/config/own_variables.hpp"
#include "platform/config/settings.hpp"
#include "platform/runtime/system_clock.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"
#include "verify/agreement.hpp"

namespace trackops::apps {
namespace {

using config::Kind;

constexpr int broken = 3;

constexpr auto settings = std::to_array<config::Setting>({
    {.name = "order-database",
     .kind = Kind::text,
     .default_value = "",
     .help = "sqlite:FILE or postgres://...; default: orders.db in the data folder.",
     .secret = true},
    password_setting("order-database-password", "The password for it."),
    {.name = "inventory-database",
     .kind = Kind::text,
     .default_value = "",
     .help = "The same for stock; default: inventory.db in the data folder.",
     .secret = true},
    password_setting("inventory-database-password", "The password for it."),
    {"data-dir", Kind::text, ".data", "The folder of `trackops dev`."},
    {"at-rest", Kind::flag, "false", "Nothing is under way: what is not over is broken."},
    {"second-look", Kind::duration, "5s",
     "What orders and stock disagree about counts when it is still so after this.", 0,
     3600L * 1000},
    {"in-flight", Kind::duration, "15m", "How long a shipment may be on its way to stock.", 0,
     30L * 24 * 3600 * 1000},
    strict_setting,
    {"help", Kind::flag, "false", "Print this and stop."},
});

constexpr auto usage =
    "trackops verify [settings]\n"
    "Recomputes all that must be true of orders and stock from both databases, of a running or a\n"
    "stopped system, and changes nothing. Reads no topics: events are checked in the outboxes.\n"
    "Exit code 0: nothing is broken; 3: something is; 1: a database cannot be asked.\n\n";

int print_usage_error(int exit_code, std::string_view what) {
    fmt::print(stderr, "trackops verify: {}\n", what);
    return exit_code;
}

// Throws std::invalid_argument if the password of the setting does not fit its URL.
std::string url_of(const config::Values& values, std::string_view setting, std::string_view file) {
    const std::string given =
        url_with_password(values, setting, fmt::format("{}-password", setting));
    return given.empty() ? fmt::format("sqlite:{}/{}", values.text("data-dir"), file) : given;
}

// Refuses a SQLite file that does not exist, because opening it would create it.
std::unique_ptr<sql::Database> open(const std::string& url, telemetry::Registry& metrics) {
    constexpr std::string_view sqlite = "sqlite:";
    if (url.starts_with(sqlite) && !std::filesystem::exists(url.substr(sqlite.size())))
        throw std::runtime_error("there is no file " + url.substr(sqlite.size()));
    return backends::open_database(url,
                                   {.connections_max = 2,
                                    .statement_timeout = std::chrono::hours(1),
                                    .transaction_timeout = std::chrono::hours(1)},
                                   metrics);
}

// Returns the number of broken invariants.
std::size_t print(std::string_view title, std::span<const audit::InvariantResult> findings) {
    std::size_t count = 0;
    fmt::print("\n{:<40}{:>12}{:>12}\n", title, "checked", "violations");
    for (const audit::InvariantResult& finding : findings) {
        count += finding.violations > 0 ? 1 : 0;
        fmt::print("  {:<38}{:>12}{:>12}\n", finding.invariant, finding.checked,
                   finding.violations);
        if (finding.violations == 0) continue;
        fmt::print("      {}\n", finding.description);
        for (const audit::Violation& violation : finding.examples)
            fmt::print("      {}: {}\n", violation.subject, violation.evidence);
        if (const auto shown = static_cast<std::int64_t>(finding.examples.size());
            finding.violations > shown)
            fmt::print("      and {} more\n", finding.violations - shown);
    }
    return count;
}

int check_all(const config::Values& values) {
    const runtime::SystemClock clock;
    telemetry::Registry metrics;
    const auto orders = open(url_of(values, "order-database", "orders.db"), metrics);
    const auto stock = open(url_of(values, "inventory-database", "inventory.db"), metrics);
    const bool is_at_rest = values.flag("at-rest");
    // At rest, nothing has been processed for an unknown time. So `reading_since` is now, and
    // nothing counts as overdue.
    const Instant now = clock.now();
    const audit::CheckTime at{now, is_at_rest ? now : Instant{0}};
    std::size_t count = print("orders", audit::check_all(*orders, order::invariants(), at));
    count += print("stock", audit::check_all(*stock, inventory::invariants(), at));
    const audit::InvariantResult logs[] = {audit_log::check(*orders), audit_log::check(*stock)};
    count += print("audit log of orders", std::span(logs, 1));
    count += print("audit log of stock", std::span(logs).subspan(1));
    const verify::VerifyOptions terms{
        .is_at_rest = is_at_rest,
        .in_flight = values.duration("in-flight"),
        .now = clock.now(),
        .wait_before_recheck = [&] {
            std::this_thread::sleep_for(values.duration("second-look"));
        }};
    count += print("between them", verify::check_agreement({*orders, *stock}, terms));
    fmt::print("\n{}\n",
               count == 0 ? "all of it is true" : fmt::format("{} invariants are broken", count));
    return count == 0 ? 0 : broken;
}

}  // namespace

int verify(std::span<const std::string> arguments, std::span<const std::string> environment) {
    const auto values =
        config::read(settings, arguments, config::own_variables(settings, environment));
    if (!values) return print_usage_error(2, values.error().detail);
    if (values->flag("help")) {
        fmt::print("{}{}", usage, config::help(settings));
        return 0;
    }
    telemetry::configure_log("verify", telemetry::Level::warn, false);
    if (const auto fault = password_on_command_line(*values); !fault.empty())
        return print_usage_error(2, fault);
    if (const auto fault = fault_of_links(*values); !fault.empty())
        return print_usage_error(2, fault);
    for (const std::string& link : unverified_links(*values))
        telemetry::log(telemetry::Level::warn, "verify", link);
    try {
        return check_all(*values);
    } catch (const std::invalid_argument& error) {
        return print_usage_error(2, error.what());
    } catch (const std::exception& error) {
        return print_usage_error(1, error.what());
    }
}

}  // namespace trackops::apps
