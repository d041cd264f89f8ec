#include "order/module.hpp"

#include "base/version.hpp"
#include "events/events.hpp"
#include "order/adapters/confirmations.hpp"
#include "order/adapters/http_api.hpp"
#include "order/adapters/inventory_events.hpp"
#include "order/adapters/order_cache.hpp"
#include "order/adapters/saga_clock.hpp"
#include "order/adapters/sql_order_store.hpp"
#include "order/migrations.hpp"
#include "platform/bus/consumer.hpp"
#include "platform/bus/health.hpp"
#include "platform/cache/cache.hpp"
#include "platform/http/actuator.hpp"
#include "platform/http/server.hpp"
#include "platform/idempotency/migrations.hpp"
#include "platform/outbox/cleanup.hpp"
#include "platform/outbox/migrations.hpp"
#include "platform/outbox/source.hpp"
#include "platform/runtime/threads.hpp"
#include "platform/sql/health.hpp"
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

// In the order in which things are made; they go in the reverse.
struct Module::Parts {
    Parts(ModuleOptions given, const Clock& the_clock, Ids& the_ids, bus::Bus& the_bus);

    std::vector<Result<Receipt>> announced(std::vector<Result<Receipt>> receipts) const {
        options.on_events_committed();
        return receipts;
    }
    void settled(std::span<const Order> orders);
    std::vector<http::Route> routes();
    std::vector<telemetry::Component> components();

    const ModuleOptions options;
    const Clock& clock;
    Ids& ids;
    bus::Bus& bus;
    telemetry::Registry metrics;
    std::unique_ptr<sql::Database> database;
    std::unique_ptr<cache::Cache> orders_cache;
    OrderCache cache;
    std::unique_ptr<OrderStore> store;
    std::unique_ptr<outbox::Source> relay_view;  // of the relay's backlog; read only
    Placing placing;
    Changing changing;
    Finding finding;
    Confirmations confirmations;
    SagaClock saga_clock;
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
      orders_cache(cache::open(options.cache_url, {}, clock, metrics)),
      cache(*orders_cache),
      store(make_sql_order_store(*database, clock, ids)),
      relay_view(outbox::make_poll_source(*database)),
      placing(
          {.batch_max = 128, .queue_max = 4096},
          [this](std::span<const PlaceOrder> batch) {
              return announced(place_orders(batch, *store, clock, ids, options.patience));
          },
          lost_as_unavailable<Result<Receipt>>()),
      changing(
          {.batch_max = 128, .queue_max = 4096},
          [this](std::span<const ChangeOrder> batch) {
              return announced(change_orders(batch, *store, clock, ids, options.patience));
          },
          lost_as_unavailable<Result<Receipt>>()),
      finding(
          {.batch_max = 128, .queue_max = 4096},
          [this](std::span<const OrderId> batch) { return store->find(batch); },
          lost_as_unavailable<Result<Order>>()),
      confirmations(*store, clock),
      saga_clock({.relay_lag = [this] { return relay_view->backlog(clock.now()).oldest_age; }},
                 *store, clock, ids, options.patience,
                 [this](std::span<const Order> orders) { settled(orders); }),
      cleanup(*database, clock, {}, metrics),
      threads(metrics),
      server(http::make_server({.address = options.address, .port = options.port}, routes(), clock,
                               ids, metrics)) {}

void Module::Parts::settled(std::span<const Order> orders) {
    if (orders.empty()) return;
    options.on_events_committed();
    for (const Order& order : orders) cache.remember(order);
    confirmations.settled(orders);
}

std::vector<telemetry::Component> Module::Parts::components() {
    return {
        sql::health_component(*database),
        bus::health_component(bus),
        {.name = "cache",
         .ask =
             [this] {
                 return telemetry::ComponentHealth{.status = orders_cache->ping()
                                                                 ? telemetry::Status::up
                                                                 : telemetry::Status::down};
             },
         .in_readiness = false},  // without it reads are slower, nothing breaks
    };
}

std::vector<http::Route> Module::Parts::routes() {
    std::vector<http::Route> routes =
        order_routes({placing, changing, finding, confirmations, cache, *store});
    std::ranges::move(
        http::actuator_routes({"order-service", std::string(version)}, components(), metrics),
        std::back_inserter(routes));
    return routes;
}

Module::Module(ModuleOptions options, const Clock& clock, Ids& ids, bus::Bus& bus)
    : parts_(std::make_unique<Parts>(std::move(options), clock, ids, bus)) {}

Module::~Module() { stop(Duration::zero()); }

void Module::start() {
    sql::migrate(*parts_->database, "outbox", outbox::migrations);
    sql::migrate(*parts_->database, "idempotency", idempotency::migrations);
    sql::migrate(*parts_->database, "order", order::migrations);
    std::vector<std::string> topics(std::begin(events::order_topics),
                                    std::end(events::order_topics));
    const std::vector<std::string> replies(std::begin(events::inventory_topics),
                                           std::end(events::inventory_topics));
    topics.insert(topics.end(), replies.begin(), replies.end());
    parts_->bus.ensure_topics(topics);
    parts_->consumer = std::make_unique<bus::Consumer>(
        parts_->bus, bus::ConsumerOptions{.group = "trackops-orders", .topics = replies},
        handle_inventory_events(
            *parts_->store, parts_->clock, parts_->options.patience,
            [parts = parts_.get()](std::span<const Order> orders) { parts->settled(orders); }),
        parts_->metrics);
    runtime::Threads& threads = parts_->threads;
    threads.add("order-finding", parts_->finding);
    threads.add("order-placing", parts_->placing);
    // Two transactions in flight keep PostgreSQL busy while one waits for its disk; SQLite has one
    // writer.
    if (parts_->database->dialect() == sql::Dialect::postgres)
        threads.add("order-placing", parts_->placing);
    threads.add("order-changing", parts_->changing);
    threads.add("order-waiting", parts_->confirmations);
    threads.add("order-settling", *parts_->consumer);
    threads.add("order-sagas", parts_->saga_clock);
    threads.add("order-cleanup", parts_->cleanup);
    parts_->server->start();
}

std::uint16_t Module::port() const { return parts_->server->port(); }

void Module::stop(Duration drain_within) {
    parts_->server->drain(drain_within);
    parts_->confirmations.close();
    parts_->threads.stop();
    parts_->placing.close();
    parts_->changing.close();
    parts_->finding.close();
}

}  // namespace trackops::order
