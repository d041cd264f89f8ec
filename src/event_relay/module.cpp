#include "event_relay/module.hpp"

#include <algorithm>
#include <iterator>

#include "base/version.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/bus/health.hpp"
#include "platform/http/actuator.hpp"
#include "platform/http/server.hpp"
#include "platform/relay/health.hpp"
#include "platform/relay/routes.hpp"
#include "platform/relay/source.hpp"
#include "platform/runtime/pump_threads.hpp"
#include "platform/sql/health.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::event_relay {
namespace {

relay::RelayOptions with_holder(relay::RelayOptions options, Ids& ids) {
    if (options.holder.empty()) options.holder = ids.next().text();
    return options;
}

}  // namespace

// In the order in which things are made; they go in the reverse.
struct Module::Internals {
    Internals(const ModuleOptions& options, const Clock& clock, Ids& ids, bus::Bus& the_bus,
              telemetry::Registry& the_metrics)
        : bus(the_bus),
          metrics(the_metrics),
          database(backends::open_database(options.database_url, {}, metrics)),
          relay(*database,
                relay::make_source(options.source, *database, options.database_url, metrics), bus,
                clock, with_holder(options.relay, ids), metrics),
          threads(metrics),
          server(http::make_server({.address = options.address, .port = options.port}, routes(),
                                   clock, ids, metrics)) {}

    std::vector<http::Route> routes() {
        std::vector<http::Route> routes = relay::relay_routes(relay);
        std::ranges::move(
            http::actuator_routes({"event-relay-service", std::string(version)},
                                  {sql::health_component(*database), bus::health_component(bus),
                                   relay::relay_component(relay)},
                                  metrics),
            std::back_inserter(routes));
        return routes;
    }

    bus::Bus& bus;
    telemetry::Registry& metrics;
    std::unique_ptr<sql::Database> database;
    relay::Relay relay;
    runtime::PumpThreads threads;
    std::unique_ptr<http::Server> server;
};

Module::Module(const ModuleOptions& options, const Clock& clock, Ids& ids, bus::Bus& bus,
               telemetry::Registry& metrics)
    : internals_(std::make_unique<Internals>(options, clock, ids, bus, metrics)) {}

Module::~Module() { stop(Duration::zero()); }

void Module::start() {
    internals_->threads.add("relay", internals_->relay);
    internals_->server->start();
}

std::uint16_t Module::port() const { return internals_->server->port(); }

void Module::wake() { internals_->threads.wake(internals_->relay); }

void Module::stop(Duration drain_within) {
    internals_->server->drain(drain_within);
    internals_->threads.stop();
}

}  // namespace trackops::event_relay
