#include "inventory/module.hpp"

#include "inventory/application.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/service/host.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::inventory {
namespace {

const std::string& relay_url(const ModuleOptions& options) {
    return options.relay_database_url.empty() ? options.database_url : options.relay_database_url;
}

}  // namespace

// The members are constructed in this order and destroyed in the reverse.
struct Module::Internals {
    Internals(const ModuleOptions& options, const Clock& clock, Ids& ids, bus::Bus& bus,
              telemetry::Registry& the_metrics)
        : migration_url(options.migration_url),
          metrics(the_metrics),
          database(backends::open_database(options.database_url, {}, metrics)),
          relay_database(backends::open_database(relay_url(options), {}, metrics)),
          application({.database = *database,
                       .relay_database = *relay_database,
                       .bus = bus,
                       .clock = clock,
                       .ids = ids,
                       .metrics = metrics,
                       .budget = options.budget,
                       .tracer = options.tracer},
                      {.consumer_group = options.consumer_group,
                       .relay_holder =
                           options.relay_holder.empty() ? ids.next().text() : options.relay_holder,
                       .relay_source = options.relay_source,
                       .relay_database_url = relay_url(options),
                       .low_stock_threshold = options.low_stock_threshold,
                       .key_lifetime = options.key_lifetime,
                       .keys_are_optional = options.keys_are_optional,
                       .on_events_committed = [this](runtime::Pump& relay) { host.wake(relay); }}),
          host(application,
               {options.address, options.port, options.budget,
                http::with_audit(options.edge, application.audit_sink()),
                options.management.with_data_folder(backends::data_folder(options.database_url)),
                options.tracer},
               clock, ids, metrics) {}

    const std::string migration_url;
    telemetry::Registry& metrics;
    std::unique_ptr<sql::Database> database;
    std::unique_ptr<sql::Database> relay_database;
    Application application;
    service::Host host;
};

Module::Module(const ModuleOptions& options, const Clock& clock, Ids& ids, bus::Bus& bus,
               telemetry::Registry& metrics)
    : internals_(std::make_unique<Internals>(options, clock, ids, bus, metrics)) {}

Module::~Module() = default;

void Module::prepare() {
    migrate(*internals_->database, internals_->metrics, internals_->migration_url);
    internals_->application.listen();
}

void Module::start() { internals_->host.start(); }

std::uint16_t Module::port() const { return internals_->host.port(); }

std::uint16_t Module::management_port() const { return internals_->host.management_port(); }

void Module::stop(Duration drain_within) { internals_->host.stop(drain_within); }

}  // namespace trackops::inventory
