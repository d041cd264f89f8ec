// inventory-service: stock and reservations, the consumer of order events and the relay of its own
// outbox, as a process.
#include "apps/server_urls.hpp"
#include "apps/service.hpp"
#include "apps/service_settings.hpp"
#include "inventory/module.hpp"

namespace trackops::apps {
namespace {

using config::Kind;

constexpr auto settings = with_common_settings(std::to_array<config::Setting>({
    {"port", Kind::integer, "8081", "Port to listen on; 0 takes any free one.", 0, 65535},
    {.name = "database-url",
     .kind = Kind::text,
     .default_value = "postgres://trackops_inventory_service@127.0.0.1:5432/trackops_inventory",
     .help = "The stock database, with the rights of the service role.",
     .secret = true},
    password_setting("database-password", "The password for it."),
    {.name = "migration-url",
     .kind = Kind::text,
     .default_value = "",
     .help = "The same database, with the rights of its owner, for the schema at the start; "
             "default: database-url.",
     .secret = true},
    password_setting("migration-password", "The password for it."),
    {.name = "relay-database-url",
     .kind = Kind::text,
     .default_value = "",
     .help = "The same database, with the rights of the relay role; default: database-url.",
     .secret = true},
    password_setting("relay-database-password", "The password for it."),
    {"relay-source", Kind::text, "poll",
     "How its relay reads the outbox: poll, or wal, which needs REPLICATION."},
    session_url_setting,
    password_setting("session-password", "The password for it."),
    idempotency_lifetime_setting,
    idempotency_optional_setting,
    low_stock_threshold_setting,
    {.name = "bus-url",
     .kind = Kind::text,
     .default_value = "kafka://127.0.0.1:9092",
     .help = "kafka://HOST:PORT[,HOST:PORT...]; TLS and SASL are its parameters.",
     .secret = true},
    password_setting("bus-password", "The password for it."),
    {"topic-partitions", Kind::integer, "3", "Partitions of topics that are made.", 1, 10'000},
}));

inventory::ModuleOptions module_options(const config::Values& values) {
    inventory::ModuleOptions options;
    options.database_url = url_with_password(values, "database-url", "database-password");
    options.migration_url = url_with_password(values, "migration-url", "migration-password");
    options.relay_database_url =
        url_with_password(values, "relay-database-url", "relay-database-password");
    options.relay_source = values.text("relay-source");
    options.key_lifetime = values.duration("idempotency-lifetime");
    options.keys_are_optional = values.flag("idempotency-optional");
    options.low_stock_threshold = values.integer("low-stock-threshold");
    options.address = listen_address(values);
    options.edge = edge_options(values);
    options.management = management_options(values);
    options.port = static_cast<std::uint16_t>(values.integer("port"));
    return options;
}

std::unique_ptr<Running> make(const config::Values& values) {
    return std::make_unique<Service<inventory::Module>>(
        values, "inventory", "inventory-service", session_url(values, "embedded:"),
        module_options(values), bus_options(values));
}

}  // namespace
}  // namespace trackops::apps

int main(int argc, char** argv) {
    using namespace trackops;
    return apps::run_program(
        {.name = "inventory-service",
         .about = "stock over HTTP, and reservations for the orders that come over the bus",
         .settings = apps::settings,
         .make = apps::make,
         .ports = apps::api_port},
        argc, argv);
}
