#include "inventory/module.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "base/version.hpp"
#include "events/events.hpp"
#include "inventory/adapters/http_api.hpp"
#include "inventory/adapters/order_events.hpp"
#include "inventory/adapters/sql_stores.hpp"
#include "inventory/adapters/wire.hpp"
#include "inventory/app/write_items.hpp"
#include "inventory/migrations.hpp"
#include "platform/bus/consumer.hpp"
#include "platform/bus/health.hpp"
#include "platform/http/actuator.hpp"
#include "platform/http/server.hpp"
#include "platform/idempotency/migrations.hpp"
#include "platform/outbox/cleanup.hpp"
#include "platform/outbox/health.hpp"
#include "platform/outbox/migrations.hpp"
#include "platform/outbox/relay.hpp"
#include "platform/outbox/routes.hpp"
#include "platform/runtime/threads.hpp"
#include "platform/sql/health.hpp"
#include "platform/sql/migrations.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::inventory {

// In the order in which things are made; they go in the reverse.
struct Module::Parts {
    Parts(ModuleOptions given, const Clock& the_clock, Ids& the_ids, bus::Bus& the_bus);

    std::vector<http::Route> routes();

    const ModuleOptions options;
    const Clock& clock;
    Ids& ids;
    bus::Bus& bus;
    telemetry::Registry metrics;
    std::unique_ptr<sql::Database> database;
    std::unique_ptr<ReservationStore> reservations;
    std::unique_ptr<ItemStore> items;
    std::unique_ptr<InventoryReader> reader;
    Writing writing;
    outbox::Relay relay;
    outbox::Cleanup cleanup;
    std::unique_ptr<bus::Consumer> consumer;  // made at start, when its topics are there
    runtime::Threads threads;
    std::unique_ptr<http::Server> server;
};

Module::Parts::Parts(ModuleOptions given, const Clock& the_clock, Ids& the_ids, bus::Bus& the_bus)
    : options(std::move(given)),
      clock(the_clock),
      ids(the_ids),
      bus(the_bus),
      database(sql::open(options.database_url, {}, metrics)),
      reservations(make_reservation_store(*database)),
      items(make_item_store(*database)),
      reader(make_inventory_reader(*database)),
      writing(
          {.batch_max = 128, .queue_max = 4096},
          [this](std::span<const ItemWrite> writes) { return write_items(writes, *items, clock); },
          [] {
              return Result<Written>(
                  fail(Errc::unavailable, "the request could not be carried out now; try again"));
          }),
      relay(*database, outbox::make_poll_source(*database), bus, clock,
            {.source_name = "/trackops/inventory",
             .holder = options.relay_holder.empty() ? the_ids.next().text() : options.relay_holder},
            metrics),
      cleanup(*database, clock, {}, metrics),
      threads(metrics),
      server(http::make_server({.address = options.address, .port = options.port}, routes(), clock,
                               ids, metrics)) {}

std::vector<http::Route> Module::Parts::routes() {
    std::vector<http::Route> routes = inventory_routes({writing, *items, *reader, clock, ids});
    std::ranges::move(outbox::relay_routes(relay), std::back_inserter(routes));
    std::ranges::move(
        http::actuator_routes({"inventory-service", std::string(version)},
                              {sql::health_component(*database), bus::health_component(bus),
                               outbox::relay_component(relay)},
                              metrics),
        std::back_inserter(routes));
    return routes;
}

Module::Module(ModuleOptions options, const Clock& clock, Ids& ids, bus::Bus& bus)
    : parts_(std::make_unique<Parts>(std::move(options), clock, ids, bus)) {}

Module::~Module() { stop(Duration::zero()); }

void Module::start() {
    Parts& parts = *parts_;
    sql::migrate(*parts.database, "outbox", outbox::migrations);
    sql::migrate(*parts.database, "idempotency", idempotency::migrations);
    sql::migrate(*parts.database, "inventory", inventory::migrations);
    const std::vector<std::string> heard(topics_heard().begin(), topics_heard().end());
    std::vector<std::string> topics = heard;
    topics.insert(topics.end(), std::begin(events::inventory_topics),
                  std::end(events::inventory_topics));
    parts.bus.ensure_topics(topics);
    parts.consumer = std::make_unique<bus::Consumer>(
        parts.bus, bus::ConsumerOptions{.group = parts.options.consumer_group, .topics = heard},
        make_order_events_handler({*parts.reservations, parts.clock, parts.ids, parts.metrics,
                                   [&parts] { parts.threads.wake(parts.relay); }}),
        parts.metrics);
    parts.threads.add("stock-relay", parts.relay);
    parts.threads.add("stock-writing", parts.writing);
    parts.threads.add("stock-reserving", *parts.consumer);
    parts.threads.add("stock-cleanup", parts.cleanup);
    parts.server->start();
}

std::uint16_t Module::port() const { return parts_->server->port(); }

void Module::stop(Duration drain_within) {
    parts_->server->drain(drain_within);
    parts_->threads.stop();
    parts_->writing.close();
}

}  // namespace trackops::inventory
