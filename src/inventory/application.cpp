#include "inventory/application.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "contracts/inventory_service.hpp"
#include "events/events.hpp"
#include "inventory/adapters/audit.hpp"
#include "inventory/adapters/event_mapping.hpp"
#include "inventory/adapters/http_api.hpp"
#include "inventory/adapters/order_events_handler.hpp"
#include "inventory/adapters/sql_inventory_reader.hpp"
#include "inventory/adapters/sql_item_store.hpp"
#include "inventory/adapters/sql_reservation_store.hpp"
#include "inventory/adapters/stock_gauges.hpp"
#include "inventory/app/write_items.hpp"
#include "inventory/migrations.hpp"
#include "platform/audit/auditor.hpp"
#include "platform/audit_log/migrations.hpp"
#include "platform/audit_log/routes.hpp"
#include "platform/audit_log/trail.hpp"
#include "platform/backends/migrate_and_grant.hpp"
#include "platform/bus/consumer.hpp"
#include "platform/bus/health.hpp"
#include "platform/http/actuator.hpp"
#include "platform/http/contract_pages.hpp"
#include "platform/http/idempotency_key.hpp"
#include "platform/idempotency/migrations.hpp"
#include "platform/outbox/cleanup.hpp"
#include "platform/outbox/grants.hpp"
#include "platform/outbox/migrations.hpp"
#include "platform/relay/health.hpp"
#include "platform/relay/make_source.hpp"
#include "platform/relay/relay.hpp"
#include "platform/relay/routes.hpp"
#include "platform/sql/health.hpp"
#include "platform/sql/migrations.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::inventory {

// The members are constructed in this order and destroyed in the reverse.
struct Application::Internals {
    Internals(const Ports& the_ports, ApplicationOptions given);

    const Ports ports;
    const ApplicationOptions options;
    std::unique_ptr<app::ReservationStore> reservations;
    std::unique_ptr<app::ItemStore> items;
    std::unique_ptr<app::InventoryReader> reader;
    adapters::WriteItemQueue write_queue;
    relay::Relay relay;
    outbox::Cleanup cleanup;
    audit::Auditor auditor;
    audit_log::Trail trail;
    adapters::StockGauges gauges;
    std::unique_ptr<bus::Consumer> consumer;  // made by listen(), when its topics exist
};

Application::Internals::Internals(const Ports& the_ports, ApplicationOptions given)
    : ports(the_ports),
      options(std::move(given)),
      reservations(adapters::make_reservation_store(ports.database, ports.metrics)),
      items(adapters::make_item_store(ports.database)),
      reader(adapters::make_inventory_reader(ports.database, options.low_stock_threshold)),
      write_queue(
          {.batch_max = 128, .queue_max = 4096, .budget = ports.budget},
          [this](std::span<const app::ItemWrite> writes) {
              return app::write_items(writes, *items, ports.clock);
          },
          [] {
              return Result<app::WriteResult>(
                  fail(Errc::unavailable, "the request could not be carried out now; try again"));
          }),
      relay(ports.relay_database,
            relay::make_source(options.relay_source, ports.relay_database,
                               options.relay_database_url, ports.metrics),
            ports.bus, ports.clock,
            {.source_name = "/trackops/inventory",
             .holder = options.relay_holder,
             .budget = ports.budget,
             .chance = ports.chance,
             .tracer = ports.tracer},
            ports.metrics),
      cleanup(ports.database, ports.clock, {}, ports.metrics),
      auditor(ports.database, ports.clock, invariants(), {}, ports.metrics),
      trail(ports.database, "inventory-service", ports.clock, ports.metrics),
      gauges(ports.database, ports.metrics, options.low_stock_threshold) {}

void migrate(sql::Database& database, telemetry::Registry& metrics, std::string_view owner_url) {
    const backends::Component components[] = {{"outbox", outbox::migrations},
                                              {"idempotency", idempotency::migrations},
                                              {"audit_log", audit_log::migrations},
                                              {"inventory", inventory::migrations}};
    backends::migrate_and_grant(database, owner_url, components, outbox::grants, metrics);
}

audit::Invariants invariants() { return adapters::stock_invariants(); }

std::vector<http::Route> route_table() {
    std::vector<http::Route> rows = adapters::inventory_route_table();
    std::ranges::move(relay::relay_route_table(), std::back_inserter(rows));
    std::ranges::move(audit_log::route_table(), std::back_inserter(rows));
    std::ranges::move(http::actuator_route_table(), std::back_inserter(rows));
    std::ranges::move(http::contract_route_table(), std::back_inserter(rows));
    return rows;
}

Application::Application(const Ports& ports, ApplicationOptions options)
    : internals_(std::make_unique<Internals>(ports, std::move(options))) {}

Application::~Application() { close(); }

std::vector<http::Route> Application::routes() {
    Internals& parts = *internals_;
    const Ports& ports = parts.ports;
    std::vector<http::Route> routes =
        adapters::inventory_routes({parts.write_queue, *parts.items, *parts.reader, ports.clock,
                                    ports.ids, parts.options.key_lifetime});
    if (parts.options.keys_are_optional) routes = http::with_optional_keys(std::move(routes));
    std::ranges::move(relay::relay_routes(parts.relay), std::back_inserter(routes));
    std::ranges::move(audit_log::routes(parts.ports.database), std::back_inserter(routes));
    std::ranges::move(http::contract_routes(contracts::inventory_service),
                      std::back_inserter(routes));
    return routes;
}

std::vector<telemetry::Component> Application::components() {
    const Ports& ports = internals_->ports;
    // Its API needs no relay: events wait in the outbox.
    telemetry::Component relay = relay::health_component(internals_->relay);
    relay.in_readiness = false;
    return {sql::health_component(ports.database), bus::health_component(ports.bus),
            std::move(relay)};
}

void Application::listen() {
    Internals& parts = *internals_;
    const std::vector<std::string> requests(adapters::subscribed_topics().begin(),
                                            adapters::subscribed_topics().end());
    std::vector<std::string> topics = requests;
    topics.insert(topics.end(), std::begin(events::inventory_topics),
                  std::end(events::inventory_topics));
    parts.ports.bus.ensure_topics(topics);
    parts.consumer = std::make_unique<bus::Consumer>(
        parts.ports.bus,
        bus::ConsumerOptions{.group = parts.options.consumer_group,
                             .topics = requests,
                             .clock = parts.ports.steady_clock,
                             .chance = parts.ports.chance,
                             .budget = parts.ports.budget,
                             .tracer = parts.ports.tracer},
        adapters::make_order_events_handler(
            {*parts.reservations, parts.ports.clock, parts.ports.ids, parts.ports.metrics,
             [&parts] { parts.options.on_events_committed(parts.relay); }, parts.ports.tracer}),
        parts.ports.metrics);
}

std::vector<runtime::NamedPump> Application::pumps() {
    Internals& parts = *internals_;
    return {{"stock-relay", parts.relay},
            {"stock-writing", parts.write_queue},
            {"stock-reserving", *parts.consumer},
            {"stock-cleanup", parts.cleanup},
            {"stock-audit", parts.auditor}};
}

std::vector<runtime::NamedPump> Application::samplers() {
    return {{"stock-gauges", internals_->gauges}, {"stock-trail", internals_->trail}};
}

void Application::close() {
    internals_->write_queue.close();
    internals_->trail.close();
}

http::AuditSink& Application::audit_sink() { return internals_->trail; }

}  // namespace trackops::inventory
