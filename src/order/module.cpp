#include "order/module.hpp"

#include "order/adapters/order_cache.hpp"
#include "order/application.hpp"
#include "platform/backends/open_cache.hpp"
#include "platform/backends/open_database.hpp"
#include "platform/service/host.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::order {

// The members are constructed in this order and destroyed in the reverse.
struct Module::Internals {
    Internals(const ModuleOptions& options, const Clock& clock, Ids& ids, bus::Bus& bus,
              telemetry::Registry& the_metrics)
        : migration_url(options.migration_url),
          metrics(the_metrics),
          database(backends::open_database(options.database_url, {}, metrics)),
          orders_cache(backends::open_cache(
              options.cache_url, {.prefix = adapters::OrderCache::prefix}, clock, metrics)),
          application({.database = *database,
                       .cache = *orders_cache,
                       .bus = bus,
                       .clock = clock,
                       .ids = ids,
                       .metrics = metrics,
                       .budget = options.budget,
                       .tracer = options.tracer},
                      {.timeouts = options.timeouts,
                       .key_lifetime = options.key_lifetime,
                       .keys_are_optional = options.keys_are_optional,
                       .external_ref_is_unique = options.external_ref_is_unique,
                       .on_events_committed = options.on_events_committed,
                       .sessions = options.sessions}),
          host(application,
               {options.address, options.port, options.budget,
                http::with_audit(options.edge, application.audit_sink()),
                options.management.with_data_folder(backends::data_folder(options.database_url)),
                options.tracer},
               clock, ids, metrics) {}

    const std::string migration_url;
    telemetry::Registry& metrics;
    std::unique_ptr<sql::Database> database;
    std::unique_ptr<cache::Cache> orders_cache;
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

}  // namespace trackops::order
