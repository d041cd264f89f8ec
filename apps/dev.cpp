#include "apps/dev.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>

#include <fmt/format.h>
#include <pthread.h>

#include "inventory/module.hpp"
#include "order/module.hpp"
#include "platform/bus/bus.hpp"
#include "platform/config/settings.hpp"
#include "platform/runtime/system.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"
#include "relay/module.hpp"

namespace trackops::apps {
namespace {

using config::Kind;

constexpr auto settings = std::to_array<config::Setting>({
    {"data-dir", Kind::text, ".data",
     "Folder of the embedded databases and the message log; made when missing."},
    {"address", Kind::text, "127.0.0.1",
     "Address to listen on. Until there is a login: loopback only."},
    {"order-port", Kind::integer, "8080", "Port of the order service; 0 takes any free one.", 0,
     65535},
    {"inventory-port", Kind::integer, "8081", "Port of the inventory service.", 0, 65535},
    {"relay-port", Kind::integer, "8082", "Port of the event relay.", 0, 65535},
    {"order-database-url", Kind::text, "",
     "sqlite:FILE or postgres://...; default: a file in the data folder."},
    {"inventory-database-url", Kind::text, "", "The same for the inventory service."},
    {"reserve-timeout", Kind::duration, "15m",
     "An order that is not reserved by then is cancelled with TIMED_OUT.", 1,
     7L * 24 * 3600 * 1000},
    {"saga-retry", Kind::duration, "30s",
     "First wait before a saga asks again; doubles up to ten times this.", 1, 3600L * 1000},
    {"drain", Kind::duration, "10s", "How long requests under way may take at the end.", 0,
     600L * 1000},
    {"inventory", Kind::flag, "true",
     "Run the inventory service; --no-inventory leaves orders waiting."},
    {"log-level", Kind::text, "info", "debug, info, warn, error or off."},
    {"log-json", Kind::flag, "true", "One JSON object a line; --no-log-json for people."},
    {"help", Kind::flag, "false", "Print this and stop."},
    {"print-config", Kind::flag, "false", "Print each setting with its source and stop."},
});

std::optional<telemetry::Level> level_named(std::string_view name) {
    constexpr auto names =
        std::to_array<std::string_view>({"debug", "info", "warn", "error", "off"});
    const auto* const found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<telemetry::Level>(found - names.begin());
}

bool is_loopback(std::string_view address) {
    return address.starts_with("127.") || address == "::1" || address == "localhost";
}

// Signals are waited for by this thread alone: blocked before any other starts.
sigset_t block_ends() {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    return ends;
}

void wait_for(const sigset_t& ends) {
    int signal = 0;
    sigwait(&ends, &signal);
}

// Where a script finds the ports. Renamed into place, so that it is whole when it is there.
void write_ports(const std::filesystem::path& folder, const std::string& ports) {
    const auto unfinished = folder / "ports.json.new";
    std::ofstream(unfinished) << ports << '\n';
    std::filesystem::rename(unfinished, folder / "ports.json");
}

// A URL, a file in the data folder by default.
std::string database_url(const config::Values& values, std::string_view setting,
                         std::string_view file) {
    const std::string& given = values.text(setting);
    return given.empty() ? fmt::format("sqlite:{}/{}", values.text("data-dir"), file) : given;
}

// Names this process in the relays' leases: whoever has the folder's lock may go on where the last
// process was killed.
std::string holder(const config::Values& values) {
    return "dev " + std::filesystem::absolute(values.text("data-dir")).lexically_normal().string();
}

// The three services, made and ended as one.
class Services {
public:
    explicit Services(const config::Values& values);
    std::string start();  // the ports, as JSON
    void stop();

private:
    const config::Values& values_;
    runtime::SystemClock clock_;
    runtime::RandomIds ids_{clock_};
    telemetry::Registry metrics_;  // of the bus, which belongs to none of the three
    std::unique_ptr<bus::Bus> bus_;
    relay::Module relay_;
    inventory::Module inventory_;
    order::Module order_;
};

order::ModuleOptions order_options(const config::Values& values, relay::Module& relay) {
    order::ModuleOptions options;
    options.database_url = database_url(values, "order-database-url", "orders.db");
    options.address = values.text("address");
    options.port = static_cast<std::uint16_t>(values.integer("order-port"));
    options.patience.reserve_deadline = values.duration("reserve-timeout");
    options.patience.first_retry = values.duration("saga-retry");
    options.patience.max_retry = options.patience.first_retry * 10;
    options.on_events_committed = [&relay] { relay.wake(); };
    return options;
}

inventory::ModuleOptions inventory_options(const config::Values& values) {
    inventory::ModuleOptions options;
    options.database_url = database_url(values, "inventory-database-url", "inventory.db");
    options.address = values.text("address");
    options.port = static_cast<std::uint16_t>(values.integer("inventory-port"));
    options.relay_holder = holder(values);
    return options;
}

relay::ModuleOptions relay_options(const config::Values& values) {
    relay::ModuleOptions options;
    options.database_url = database_url(values, "order-database-url", "orders.db");
    options.address = values.text("address");
    options.port = static_cast<std::uint16_t>(values.integer("relay-port"));
    options.relay.holder = holder(values);
    return options;
}

Services::Services(const config::Values& values)
    : values_(values),
      bus_(bus::open("embedded:" + values.text("data-dir") + "/bus", {}, clock_, metrics_)),
      relay_(relay_options(values), clock_, ids_, *bus_),
      inventory_(inventory_options(values), clock_, ids_, *bus_),
      order_(order_options(values, relay_), clock_, ids_, *bus_) {}

std::string Services::start() {
    order_.start();
    relay_.start();
    if (!values_.flag("inventory"))
        return fmt::format(R"({{"order":{},"relay":{}}})", order_.port(), relay_.port());
    inventory_.start();
    return fmt::format(R"({{"order":{},"inventory":{},"relay":{}}})", order_.port(),
                       inventory_.port(), relay_.port());
}

// Orders first: they stop taking in while the others can still carry on what is under way.
void Services::stop() {
    const Duration within = values_.duration("drain");
    order_.stop(within);
    inventory_.stop(within);
    relay_.stop(within);
}

int complain(std::string_view text, int exit_code) {
    fmt::print(stderr, "trackops dev: {}\n", text);
    return exit_code;
}

int run(const config::Values& values) {
    const sigset_t ends = block_ends();
    const std::filesystem::path folder = values.text("data-dir");
    std::filesystem::create_directories(folder);
    Services services(values);  // from here on the folder is ours alone
    std::filesystem::remove(folder / "ports.json");
    const std::string ports = services.start();
    write_ports(folder, ports);
    fmt::print("{{\"ready\":true,\"ports\":{}}}\n", ports);
    std::fflush(stdout);
    wait_for(ends);
    telemetry::log(telemetry::Level::info, "dev", "draining");
    services.stop();
    return 0;
}

}  // namespace

int dev(std::span<const std::string> arguments, std::span<const std::string> environment) {
    const auto values = config::read(settings, arguments, environment);
    if (!values) return complain(values.error().detail, 2);
    if (values->flag("help")) {
        fmt::print("trackops dev: the three services in one process\n\n{}", config::help(settings));
        return 0;
    }
    if (values->flag("print-config")) {
        fmt::print("{}", config::print(settings, *values));
        return 0;
    }
    const auto level = level_named(values->text("log-level"));
    if (!level) return complain("log-level must be debug, info, warn, error or off", 2);
    if (!is_loopback(values->text("address"))) {
        return complain("address must be a loopback address until there is a login", 2);
    }
    telemetry::configure_log("trackops", *level, values->flag("log-json"));
    try {
        return run(*values);
    } catch (const std::exception& failure) {
        return complain(failure.what(), 1);
    }
}

}  // namespace trackops::apps
