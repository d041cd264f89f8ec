#include "event_relay/module.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "contracts/event_relay_service.hpp"
#include "platform/audit_log/trail.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/bus/health.hpp"
#include "platform/http/actuator.hpp"
#include "platform/http/contract_pages.hpp"
#include "platform/relay/health.hpp"
#include "platform/relay/make_source.hpp"
#include "platform/relay/routes.hpp"
#include "platform/relay/source.hpp"
#include "platform/service/host.hpp"
#include "platform/sql/health.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::event_relay {
namespace {

relay::RelayOptions with_holder(relay::RelayOptions options, Ids& ids) {
    if (options.holder.empty()) options.holder = ids.next().text();
    return options;
}

class Application final : public service::Application {
public:
    Application(sql::Database& database, std::unique_ptr<relay::Source> source, bus::Bus& bus,
                const Clock& clock, const relay::RelayOptions& options,
                telemetry::Registry& metrics)
        : database_(database),
          bus_(bus),
          relay_(database, std::move(source), bus, clock, options, metrics),
          trail_(database, "event-relay-service", clock, metrics) {}

    std::string_view name() const override { return "event-relay-service"; }
    std::vector<http::Route> routes() override {
        std::vector<http::Route> routes = relay::relay_routes(relay_);
        std::ranges::move(http::contract_routes(contracts::event_relay_service),
                          std::back_inserter(routes));
        return routes;
    }
    std::vector<telemetry::Component> components() override {
        // The relay's readiness knows a relay that is stalled from one that is idle.
        return {sql::health_component(database_), bus::health_component(bus_),
                relay::health_component(relay_)};
    }
    std::vector<runtime::NamedPump> pumps() override { return {{"relay", relay_}}; }
    std::vector<runtime::NamedPump> samplers() override { return {{"relay-trail", trail_}}; }
    void close() override { trail_.close(); }
    runtime::Pump& relay() { return relay_; }
    http::AuditSink& audit_sink() { return trail_; }

private:
    sql::Database& database_;
    bus::Bus& bus_;
    relay::Relay relay_;
    audit_log::Trail trail_;
};

}  // namespace

std::vector<http::Route> route_table() {
    std::vector<http::Route> rows = relay::relay_route_table();
    std::ranges::move(http::actuator_route_table(), std::back_inserter(rows));
    std::ranges::move(http::contract_route_table(), std::back_inserter(rows));
    return rows;
}

// In the order of construction; the destructor runs in reverse.
struct Module::Internals {
    Internals(const ModuleOptions& options, const Clock& clock, Ids& ids, bus::Bus& bus,
              telemetry::Registry& metrics)
        : database(backends::open_database(options.database_url, {}, metrics)),
          application(*database,
                      relay::make_source(options.source, *database, options.database_url, metrics),
                      bus, clock, with_holder(options.relay, ids), metrics),
          host(application,
               {options.address, options.port, options.relay.budget,
                http::with_audit(options.edge, application.audit_sink()),
                options.management.with_data_folder(backends::data_folder(options.database_url)),
                options.relay.tracer},
               clock, ids, metrics) {}

    std::unique_ptr<sql::Database> database;
    Application application;
    service::Host host;
};

Module::Module(const ModuleOptions& options, const Clock& clock, Ids& ids, bus::Bus& bus,
               telemetry::Registry& metrics)
    : internals_(std::make_unique<Internals>(options, clock, ids, bus, metrics)) {}

Module::~Module() = default;

void Module::start() { internals_->host.start(); }

std::uint16_t Module::port() const { return internals_->host.port(); }

std::uint16_t Module::management_port() const { return internals_->host.management_port(); }

void Module::wake() { internals_->host.wake(internals_->application.relay()); }

void Module::stop(Duration drain_within) { internals_->host.stop(drain_within); }

}  // namespace trackops::event_relay
