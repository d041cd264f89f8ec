#include "inventory/module.hpp"

#include "inventory/application.hpp"
#include "platform/http/server.hpp"
#include "platform/runtime/threads.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::inventory {

// In the order in which things are made; they go in the reverse.
struct Module::Parts {
    Parts(const ModuleOptions& options, const Clock& clock, Ids& ids, bus::Bus& bus)
        : database(sql::open(options.database_url, {}, metrics)),
          application(
              {*database, bus, clock, ids, metrics},
              {.consumer_group = options.consumer_group,
               .relay_holder =
                   options.relay_holder.empty() ? ids.next().text() : options.relay_holder,
               .on_events_committed = [this](runtime::Pump& relay) { threads.wake(relay); }}),
          threads(metrics),
          server(http::make_server({.address = options.address, .port = options.port},
                                   application.routes(), clock, ids, metrics)) {}

    telemetry::Registry metrics;
    std::unique_ptr<sql::Database> database;
    Application application;
    runtime::Threads threads;
    std::unique_ptr<http::Server> server;
};

Module::Module(const ModuleOptions& options, const Clock& clock, Ids& ids, bus::Bus& bus)
    : parts_(std::make_unique<Parts>(options, clock, ids, bus)) {}

Module::~Module() { stop(Duration::zero()); }

void Module::start() {
    migrate(*parts_->database);
    parts_->application.listen();
    parts_->threads.add(parts_->application.pumps());
    parts_->server->start();
}

std::uint16_t Module::port() const { return parts_->server->port(); }

void Module::stop(Duration drain_within) {
    parts_->server->drain(drain_within);
    parts_->threads.stop();
    parts_->application.close();
}

}  // namespace trackops::inventory
