#include "order/application.hpp"

#include "contracts/order_service.hpp"
#include "events/events.hpp"
#include "order/adapters/audit.hpp"
#include "order/adapters/confirmation_waiters.hpp"
#include "order/adapters/customer_api.hpp"
#include "order/adapters/http_api.hpp"
#include "order/adapters/inventory_events_handler.hpp"
#include "order/adapters/order_cache.hpp"
#include "order/adapters/order_json.hpp"
#include "order/adapters/saga_gauges.hpp"
#include "order/adapters/saga_timer.hpp"
#include "order/adapters/sql_customer_store.hpp"
#include "order/adapters/sql_order_store.hpp"
#include "order/migrations.hpp"
#include "platform/audit/auditor.hpp"
#include "platform/audit_log/migrations.hpp"
#include "platform/audit_log/routes.hpp"
#include "platform/audit_log/trail.hpp"
#include "platform/backends/migrate_and_grant.hpp"
#include "platform/bus/consumer.hpp"
#include "platform/bus/health.hpp"
#include "platform/cache/health.hpp"
#include "platform/http/actuator.hpp"
#include "platform/http/contract_pages.hpp"
#include "platform/http/idempotency_key.hpp"
#include "platform/idempotency/migrations.hpp"
#include "platform/outbox/cleanup.hpp"
#include "platform/outbox/grants.hpp"
#include "platform/outbox/migrations.hpp"
#include "platform/relay/poll_source.hpp"
#include "platform/relay/source.hpp"
#include "platform/sql/health.hpp"
#include "platform/telemetry/batch_span.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::order {
namespace {

template <class Outcome>
auto lost_as_unavailable() {
    return [] {
        return Outcome(
            fail(Errc::unavailable, "the request could not be carried out now; try again"));
    };
}

}  // namespace

// The members are constructed in this order and destroyed in the reverse.
struct Application::Internals {
    Internals(const Ports& the_ports, ApplicationOptions given);

    std::vector<Result<app::SaveResult>> announced(
        std::vector<Result<app::SaveResult>> results) const {
        options.on_events_committed();
        return results;
    }
    void settled(std::span<const domain::Order> orders);

    const Ports ports;
    const ApplicationOptions options;
    adapters::OrderCache cache;
    std::unique_ptr<app::OrderStore> store;
    std::unique_ptr<app::CustomerStore> customers;
    std::unique_ptr<relay::Source> relay_view;  // reads the relay's backlog only
    adapters::PlaceOrderQueue place_queue;
    adapters::ChangeOrderQueue change_queue;
    adapters::FindOrderQueue find_queue;
    adapters::ConfirmationWaiters confirmation_waiters;
    adapters::SagaTimer saga_clock;
    outbox::Cleanup cleanup;
    audit::Auditor auditor;
    audit_log::Trail trail;
    adapters::SagaGauges gauges;
    std::unique_ptr<bus::Consumer> consumer;  // made by listen(), when its topics exist
};

Application::Internals::Internals(const Ports& the_ports, ApplicationOptions given)
    : ports(the_ports),
      options(std::move(given)),
      cache(ports.cache, ports.clock),
      store(adapters::make_sql_order_store(ports.database, ports.clock, ports.ids, ports.metrics,
                                           adapters::recorded_response,
                                           options.external_ref_is_unique)),
      customers(adapters::make_sql_customer_store(ports.database)),
      relay_view(relay::make_poll_source(ports.database)),
      place_queue(
          {.batch_max = 128, .queue_max = 4096, .budget = ports.budget},
          [this](std::span<const app::PlaceOrder> batch) {
              const telemetry::BatchSpan span(ports.tracer, "place orders", batch);
              return announced(
                  app::place_orders(batch, *store, ports.clock, ports.ids, options.timeouts));
          },
          lost_as_unavailable<Result<app::SaveResult>>()),
      change_queue(
          {.batch_max = 128, .queue_max = 4096, .budget = ports.budget},
          [this](std::span<const app::ChangeOrder> batch) {
              const telemetry::BatchSpan span(ports.tracer, "change orders", batch);
              return announced(
                  app::change_orders(batch, *store, ports.clock, ports.ids, options.timeouts));
          },
          lost_as_unavailable<Result<app::SaveResult>>()),
      find_queue(
          {.batch_max = 128, .queue_max = 4096, .budget = ports.budget},
          [this](std::span<const domain::OrderId> batch) { return cache.find(batch, *store); },
          lost_as_unavailable<Result<adapters::CachedOrder>>()),
      confirmation_waiters(*store, ports.clock),
      saga_clock(
          {.relay_lag = [this] { return relay_view->backlog(ports.clock.now()).oldest_age; }},
          *store, ports.clock, ports.ids, options.timeouts,
          [this](std::span<const domain::Order> orders) { settled(orders); }),
      cleanup(ports.database, ports.clock, {}, ports.metrics),
      auditor(ports.database, ports.clock, invariants(), {}, ports.metrics),
      trail(ports.database, "order-service", ports.clock, ports.metrics),
      gauges(ports.database, ports.clock, ports.metrics) {}

void Application::Internals::settled(std::span<const domain::Order> orders) {
    if (orders.empty()) return;
    options.on_events_committed();
    for (const domain::Order& order : orders) cache.put(order);
    confirmation_waiters.settled(orders);
}

void migrate(sql::Database& database, telemetry::Registry& metrics, std::string_view owner_url) {
    const backends::Component components[] = {{"outbox", outbox::migrations},
                                              {"idempotency", idempotency::migrations},
                                              {"audit_log", audit_log::migrations},
                                              {"order", order::migrations}};
    backends::migrate_and_grant(database, owner_url, components, outbox::grants, metrics);
}

audit::Invariants invariants() { return adapters::order_invariants(); }

std::vector<http::Route> route_table() {
    std::vector<http::Route> rows = adapters::order_route_table();
    std::ranges::move(access::session_route_table(), std::back_inserter(rows));
    std::ranges::move(adapters::customer_route_table(), std::back_inserter(rows));
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
    access::SessionDoor door = parts.options.sessions;
    door.note_login = [&trail = parts.trail](const access::LoginNote& login) {
        trail.note({.actor = login.who,
                    .address = login.from,
                    .action = "login",
                    .outcome = std::string(login.outcome),
                    .correlation_id = login.correlation_id});
    };
    std::vector<http::Route> routes = adapters::order_routes(
        {parts.place_queue, parts.change_queue, parts.find_queue, parts.confirmation_waiters,
         parts.cache, *parts.store, parts.ports.clock, parts.options.key_lifetime});
    std::ranges::move(access::session_routes(door), std::back_inserter(routes));
    std::ranges::move(
        adapters::customer_routes(
            {*parts.customers, parts.ports.clock, parts.ports.ids, parts.options.key_lifetime,
             *parts.store, parts.options.timeouts,
             [&parts](std::span<const domain::Order> orders) { parts.settled(orders); }}),
        std::back_inserter(routes));
    if (parts.options.keys_are_optional) routes = http::with_optional_keys(std::move(routes));
    std::ranges::move(audit_log::routes(parts.ports.database), std::back_inserter(routes));
    std::ranges::move(http::contract_routes(contracts::order_service), std::back_inserter(routes));
    return routes;
}

std::vector<telemetry::Component> Application::components() {
    const Ports& ports = internals_->ports;
    return {sql::health_component(ports.database), bus::health_component(ports.bus),
            cache::health_component(ports.cache)};
}

void Application::listen() {
    Internals& parts = *internals_;
    std::vector<std::string> topics(std::begin(events::order_topics),
                                    std::end(events::order_topics));
    const std::vector<std::string> replies(std::begin(events::inventory_topics),
                                           std::end(events::inventory_topics));
    topics.insert(topics.end(), replies.begin(), replies.end());
    parts.ports.bus.ensure_topics(topics);
    parts.consumer = std::make_unique<bus::Consumer>(
        parts.ports.bus,
        bus::ConsumerOptions{.group = "trackops-orders",
                             .topics = replies,
                             .clock = parts.ports.steady_clock,
                             .chance = parts.ports.chance,
                             .budget = parts.ports.budget,
                             .tracer = parts.ports.tracer},
        adapters::make_inventory_events_handler(
            *parts.store, parts.ports.clock, parts.options.timeouts,
            [&parts](std::span<const domain::Order> orders) { parts.settled(orders); },
            parts.ports.tracer),
        parts.ports.metrics);
}

std::vector<runtime::NamedPump> Application::pumps() {
    Internals& parts = *internals_;
    // With two transactions in flight PostgreSQL is busy while one of them waits for the disk.
    // SQLite has one writer.
    const int placing_threads = parts.ports.database.dialect() == sql::Dialect::postgres ? 2 : 1;
    return {{"order-finding", parts.find_queue},
            {"order-placing", parts.place_queue, placing_threads},
            {"order-changing", parts.change_queue},
            {"order-waiting", parts.confirmation_waiters},
            {"order-settling", *parts.consumer},
            {"order-sagas", parts.saga_clock},
            {"order-cleanup", parts.cleanup},
            {"order-audit", parts.auditor}};
}

std::vector<runtime::NamedPump> Application::samplers() {
    return {{"order-gauges", internals_->gauges}, {"order-trail", internals_->trail}};
}

void Application::release_waiting() { internals_->confirmation_waiters.close(); }

void Application::close() {
    internals_->confirmation_waiters.close();
    internals_->place_queue.close();
    internals_->change_queue.close();
    internals_->find_queue.close();
    internals_->trail.close();
}

http::AuditSink& Application::audit_sink() { return internals_->trail; }

}  // namespace trackops::order
