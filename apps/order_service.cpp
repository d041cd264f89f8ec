// order-service: the order API, its sagas and the consumer of inventory's replies, as a process.
#include "apps/server_urls.hpp"
#include "apps/service.hpp"
#include "apps/service_settings.hpp"
#include "order/module.hpp"

namespace trackops::apps {
namespace {

using config::Kind;

constexpr auto settings = with_common_settings(std::to_array<config::Setting>({
    {"port", Kind::integer, "8080", "Port to listen on; 0 takes any free one.", 0, 65535},
    {.name = "database-url",
     .kind = Kind::text,
     .default_value = "postgres://trackops_service@127.0.0.1:5432/trackops",
     .help = "The order database, with the rights of the service role.",
     .secret = true},
    password_setting("database-password", "The password for it."),
    {.name = "migration-url",
     .kind = Kind::text,
     .default_value = "",
     .help = "The same database, with the rights of its owner, for the schema at the start; "
             "default: database-url.",
     .secret = true},
    password_setting("migration-password", "The password for it."),
    {.name = "bus-url",
     .kind = Kind::text,
     .default_value = "kafka://127.0.0.1:9092",
     .help = "kafka://HOST:PORT[,HOST:PORT...]; TLS and SASL are its parameters.",
     .secret = true},
    password_setting("bus-password", "The password for it."),
    {.name = "cache-url",
     .kind = Kind::text,
     .default_value = "redis://127.0.0.1:6379",
     .help = "redis://HOST:PORT, or embedded: for this process alone.",
     .secret = true},
    password_setting("redis-password", "The password for Redis."),
    session_url_setting,
    password_setting("session-password", "The password for it."),
    {"topic-partitions", Kind::integer, "3", "Partitions of topics that are made.", 1, 10'000},
    idempotency_lifetime_setting,
    idempotency_optional_setting,
    external_ref_unique_setting,
    reserve_timeout_setting,
    saga_retry_setting,
}));

order::ModuleOptions module_options(const config::Values& values) {
    order::ModuleOptions options;
    options.database_url = url_with_password(values, "database-url", "database-password");
    options.migration_url = url_with_password(values, "migration-url", "migration-password");
    options.cache_url = url_with_password(values, "cache-url", "redis-password");
    options.address = listen_address(values);
    options.edge = edge_options(values);
    options.management = management_options(values);
    options.port = static_cast<std::uint16_t>(values.integer("port"));
    options.timeouts.reserve_deadline = values.duration("reserve-timeout");
    options.timeouts.first_retry = values.duration("saga-retry");
    options.timeouts.max_retry = options.timeouts.first_retry * 10;
    options.key_lifetime = values.duration("idempotency-lifetime");
    options.keys_are_optional = values.flag("idempotency-optional");
    options.external_ref_is_unique = values.flag("external-ref-unique");
    return options;
}

std::unique_ptr<Running> make(const config::Values& values) {
    return std::make_unique<Service<order::Module>>(
        values, "order", "order-service",
        session_url(values, url_with_password(values, "cache-url", "redis-password")),
        module_options(values), bus_options(values));
}

}  // namespace
}  // namespace trackops::apps

int main(int argc, char** argv) {
    using namespace trackops;
    return apps::run_program(
        {.name = "order-service",
         .about = "orders over HTTP, their sagas, and the replies of the inventory service",
         .settings = apps::settings,
         .make = apps::make,
         .ports = apps::api_port},
        argc, argv);
}
