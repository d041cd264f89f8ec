#include "apps/dev.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "apps/program.hpp"
#include "apps/service.hpp"
#include "apps/service_settings.hpp"
#include "apps/telemetry_export.hpp"
#include "event_relay/module.hpp"
#include "inventory/module.hpp"
#include "order/module.hpp"
#include "platform/backends/open_bus.hpp"
#include "platform/bus/bus.hpp"
#include "platform/runtime/system_clock.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::apps {
namespace {

using config::Kind;

constexpr auto settings = with_common_settings(std::to_array<config::Setting>({
    {"data-dir", Kind::text, ".data",
     "Folder of the embedded databases and the message log; made when missing."},
    {"order-port", Kind::integer, "8080", "Port of the order service; 0 takes any free one.", 0,
     65535},
    {"inventory-port", Kind::integer, "8081", "Port of the inventory service.", 0, 65535},
    {"relay-port", Kind::integer, "8082", "Port of the event relay.", 0, 65535},
    {.name = "order-database-url",
     .kind = Kind::text,
     .default_value = "",
     .help = "sqlite:FILE or postgres://...; default: a file in the data folder.",
     .secret = true},
    {.name = "inventory-database-url",
     .kind = Kind::text,
     .default_value = "",
     .help = "The same for the inventory service.",
     .secret = true},
    reserve_timeout_setting,
    saga_retry_setting,
    idempotency_lifetime_setting,
    idempotency_optional_setting,
    external_ref_unique_setting,
    low_stock_threshold_setting,
    {"inventory", Kind::flag, "true",
     "Run the inventory service; --no-inventory leaves orders waiting."},
}));

// Returns the URL of a database; by default it names a file in the data folder.
std::string database_url(const config::Values& values, std::string_view setting,
                         std::string_view file) {
    const std::string& given = values.text(setting);
    return given.empty() ? fmt::format("sqlite:{}/{}", values.text("data-dir"), file) : given;
}

// Names this process in the relays' leases. The next process that holds the folder's lock may
// continue where the last process was killed.
std::string holder(const config::Values& values) {
    return "dev " + std::filesystem::absolute(values.text("data-dir")).lexically_normal().string();
}

// The bus is in the data folder, whichever databases there are.
service::ManagementOptions management(const config::Values& values, std::uint16_t port_offset) {
    return management_options(values, port_offset).with_data_folder(values.text("data-dir"));
}

// The three services, constructed and stopped together.
class Services final : public Running {
public:
    explicit Services(const config::Values& values);
    void prepare() override;
    std::vector<Port> start() override;
    void stop(Duration drain_within) override;

private:
    const bool has_inventory_;
    runtime::SystemClock clock_;
    runtime::RandomIds ids_{clock_};
    telemetry::Registry relay_metrics_;
    telemetry::Registry inventory_metrics_;
    telemetry::Registry order_metrics_;  // also of the bus, the budget and the callers
    runtime::Budget budget_;             // of all three
    TelemetryExport relay_telemetry_;
    TelemetryExport inventory_telemetry_;
    TelemetryExport order_telemetry_;  // also the log of the process
    Tls tls_;                          // the same
    Access access_;                    // the same
    std::unique_ptr<bus::Bus> bus_;
    event_relay::Module relay_;
    inventory::Module inventory_;
    order::Module order_;
};

order::ModuleOptions order_options(const config::Values& values, event_relay::Module& relay) {
    order::ModuleOptions options;
    options.database_url = database_url(values, "order-database-url", "orders.db");
    options.address = listen_address(values);
    options.edge = edge_options(values);
    options.management = management(values, 0);
    options.port = static_cast<std::uint16_t>(values.integer("order-port"));
    options.timeouts.reserve_deadline = values.duration("reserve-timeout");
    options.timeouts.first_retry = values.duration("saga-retry");
    options.timeouts.max_retry = options.timeouts.first_retry * 10;
    options.key_lifetime = values.duration("idempotency-lifetime");
    options.keys_are_optional = values.flag("idempotency-optional");
    options.external_ref_is_unique = values.flag("external-ref-unique");
    options.on_events_committed = [&relay] { relay.wake(); };
    return options;
}

inventory::ModuleOptions inventory_options(const config::Values& values) {
    inventory::ModuleOptions options;
    options.database_url = database_url(values, "inventory-database-url", "inventory.db");
    options.address = listen_address(values);
    options.edge = edge_options(values);
    options.management = management(values, 1);
    options.port = static_cast<std::uint16_t>(values.integer("inventory-port"));
    options.relay_holder = holder(values);
    options.key_lifetime = values.duration("idempotency-lifetime");
    options.keys_are_optional = values.flag("idempotency-optional");
    options.low_stock_threshold = values.integer("low-stock-threshold");
    return options;
}

event_relay::ModuleOptions relay_options(const config::Values& values) {
    event_relay::ModuleOptions options;
    options.database_url = database_url(values, "order-database-url", "orders.db");
    options.address = listen_address(values);
    options.edge = edge_options(values);
    options.management = management(values, 2);
    options.port = static_cast<std::uint16_t>(values.integer("relay-port"));
    options.relay.holder = holder(values);
    return options;
}

Services::Services(const config::Values& values)
    : has_inventory_(values.flag("inventory")),
      budget_(memory_budget(values), order_metrics_),
      relay_telemetry_(values, "event-relay-service", TelemetryExport::Logs::left_alone, clock_,
                       relay_metrics_),
      inventory_telemetry_(values, "inventory-service", TelemetryExport::Logs::left_alone, clock_,
                           inventory_metrics_),
      order_telemetry_(values, "order-service", TelemetryExport::Logs::exported, clock_,
                       order_metrics_),
      tls_(values, clock_, order_metrics_),
      access_(values, "embedded:", budget_, clock_, order_metrics_),
      bus_(backends::open_bus("embedded:" + values.text("data-dir") + "/bus", {}, clock_,
                              order_metrics_)),
      relay_(
          with_access(with_shared(relay_options(values), budget_, tls_, relay_telemetry_.tracer()),
                      access_),
          clock_, ids_, *bus_, relay_metrics_),
      inventory_(with_access(with_shared(inventory_options(values), budget_, tls_,
                                         inventory_telemetry_.tracer()),
                             access_),
                 clock_, ids_, *bus_, inventory_metrics_),
      order_(with_access(with_shared(order_options(values, relay_), budget_, tls_,
                                     order_telemetry_.tracer()),
                         access_),
             clock_, ids_, *bus_, order_metrics_) {}

void Services::prepare() {
    order_.prepare();
    if (has_inventory_) inventory_.prepare();
}

std::vector<Port> Services::start() {
    order_.start();
    relay_.start();
    std::vector<Port> ports = {{"order", order_.port(), order_.management_port()},
                               {"relay", relay_.port(), relay_.management_port()}};
    if (has_inventory_) {
        inventory_.start();
        ports.insert(ports.begin() + 1,
                     {"inventory", inventory_.port(), inventory_.management_port()});
    }
    return ports;
}

// Stops the order service first: it accepts no new orders while the others still finish their work.
void Services::stop(Duration drain_within) {
    order_.stop(drain_within);
    inventory_.stop(drain_within);
    relay_.stop(drain_within);
    for (TelemetryExport* one : {&order_telemetry_, &inventory_telemetry_, &relay_telemetry_})
        one->stop();
}

std::vector<std::uint16_t> api_ports(const config::Values& values) {
    std::vector<std::uint16_t> ports;
    for (const std::string_view name : {"order-port", "inventory-port", "relay-port"}) {
        if (name == "inventory-port" && !values.flag("inventory")) continue;
        ports.push_back(static_cast<std::uint16_t>(values.integer(name)));
    }
    return ports;
}

}  // namespace

int health(std::span<const std::string> arguments, std::span<const std::string> environment) {
    std::vector<std::string> with_command{"health"};
    with_command.insert(with_command.end(), arguments.begin(), arguments.end());
    return dev(with_command, environment);
}

int dev(std::span<const std::string> arguments, std::span<const std::string> environment) {
    return run_program(
        {.name = "trackops dev",
         .about = "the three services in one process",
         .settings = settings,
         .make =
             [](const config::Values& values) {
                 std::filesystem::create_directories(values.text("data-dir"));
                 return std::make_unique<Services>(values);
             },
         .ports = api_ports,
         .ports_file =
             [](const config::Values& values) { return values.text("data-dir") + "/ports.json"; }},
        arguments, environment);
}

}  // namespace trackops::apps
