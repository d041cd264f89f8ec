// event-relay-service: moves committed events of the order database to the bus, as a process.
#include "apps/server_urls.hpp"
#include "apps/service.hpp"
#include "event_relay/module.hpp"

namespace trackops::apps {
namespace {

using config::Kind;

constexpr auto settings = with_common_settings(std::to_array<config::Setting>({
    {"port", Kind::integer, "8082", "Port to listen on; 0 takes any free one.", 0, 65535},
    {.name = "database-url",
     .kind = Kind::text,
     .default_value = "postgres://trackops_relay@127.0.0.1:5432/trackops",
     .help = "The order database, with the rights of the relay role.",
     .secret = true},
    password_setting("database-password", "The password for it."),
    {"source", Kind::text, "poll",
     "How the outbox is read: poll, or wal (logical replication; PostgreSQL with "
     "wal_level=logical and a role with REPLICATION)."},
    session_url_setting,
    password_setting("session-password", "The password for it."),
    {.name = "bus-url",
     .kind = Kind::text,
     .default_value = "kafka://127.0.0.1:9092",
     .help = "kafka://HOST:PORT[,HOST:PORT...]; TLS and SASL are its parameters.",
     .secret = true},
    password_setting("bus-password", "The password for it."),
}));

event_relay::ModuleOptions module_options(const config::Values& values) {
    event_relay::ModuleOptions options;
    options.database_url = url_with_password(values, "database-url", "database-password");
    options.source = values.text("source");
    options.address = listen_address(values);
    options.edge = edge_options(values);
    options.management = management_options(values);
    options.port = static_cast<std::uint16_t>(values.integer("port"));
    return options;
}

std::unique_ptr<Running> make(const config::Values& values) {
    return std::make_unique<Service<event_relay::Module>>(values, "relay", "event-relay-service",
                                                          session_url(values, "embedded:"),
                                                          module_options(values));
}

}  // namespace
}  // namespace trackops::apps

int main(int argc, char** argv) {
    using namespace trackops;
    return apps::run_program({.name = "event-relay-service",
                              .about = "moves committed events of the order database to the bus",
                              .settings = apps::settings,
                              .make = apps::make,
                              .ports = apps::api_port},
                             argc, argv);
}
