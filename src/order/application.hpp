// The order service without sockets, threads and drivers, which it reaches through its ports.
#pragma once
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/chance.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/request.hpp"
#include "order/domain/saga.hpp"
#include "platform/access/session_routes.hpp"
#include "platform/audit/invariant.hpp"
#include "platform/bus/bus.hpp"
#include "platform/cache/cache.hpp"
#include "platform/http/audit_sink.hpp"
#include "platform/runtime/budget.hpp"
#include "platform/service/application.hpp"
#include "platform/sql/database.hpp"
#include "platform/telemetry/tracer.hpp"

namespace trackops::order {

struct Ports {
    sql::Database& database;
    cache::Cache& cache;
    bus::Bus& bus;
    const Clock& clock;
    Ids& ids;
    telemetry::Registry& metrics;
    // Measures the consumer's backoffs; null means the machine's steady clock.
    const Clock* steady_clock = nullptr;
    Chance* chance = &system_chance();  // draws the jitter of backoffs
    // Pays for queued commands, consumed messages and read events; null: not counted.
    runtime::Budget* budget = nullptr;
    telemetry::Tracer* tracer = nullptr;  // takes the spans; null: no spans
};

struct ApplicationOptions {
    domain::SagaTimeouts timeouts;
    Duration key_lifetime = idempotency_lifetime_default;
    bool keys_are_optional = false;       // no route requires an Idempotency-Key
    bool external_ref_is_unique = false;  // among the orders of a customer
    // A hint that events may have been committed and can be relayed. Called on any thread.
    std::function<void()> on_events_committed = [] {};
    access::SessionDoor sessions = {};  // what it refers to outlives the application
};

// Migrates the schema to the newest version and grants the roles their rights. Uses owner_url when
// `database` has no right to do so. Throws as backends::migrate_and_grant() does.
void migrate(sql::Database& database, telemetry::Registry& metrics,
             std::string_view owner_url = {});

// Returns the invariants of the database, for an audit from outside the service.
audit::Invariants invariants();

// Returns the rows of all its routes, with empty handlers.
std::vector<http::Route> route_table();

class Application final : public service::Application {
public:
    // Everything that the ports refer to outlives the application.
    Application(const Ports& ports, ApplicationOptions options);
    ~Application() override;  // close()
    std::string_view name() const override { return "order-service"; }
    std::vector<http::Route> routes() override;
    std::vector<telemetry::Component> components() override;
    void listen() override;
    std::vector<runtime::NamedPump> pumps() override;
    std::vector<runtime::NamedPump> samplers() override;
    void release_waiting() override;
    void close() override;
    // Keeps the audit log. It lives as long as the application.
    http::AuditSink& audit_sink();

private:
    struct Internals;
    std::unique_ptr<Internals> internals_;
};

}  // namespace trackops::order
