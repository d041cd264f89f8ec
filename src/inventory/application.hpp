// The inventory service without sockets, threads and drivers, which it reaches through its ports.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/chance.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/request.hpp"
#include "platform/audit/invariant.hpp"
#include "platform/bus/bus.hpp"
#include "platform/http/audit_sink.hpp"
#include "platform/runtime/budget.hpp"
#include "platform/service/application.hpp"
#include "platform/sql/database.hpp"
#include "platform/telemetry/tracer.hpp"

namespace trackops::inventory {

struct Ports {
    sql::Database& database;
    sql::Database& relay_database;  // the same database, with the rights of the role `relay`
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

// Units available with which an item without a threshold of its own counts as low.
inline constexpr std::int64_t low_stock_threshold_default = 2;

struct ApplicationOptions {
    std::string consumer_group = "inventory-service";
    std::string relay_holder;             // the name of this process in the relay's lease
    std::string relay_source = "poll";    // or "wal", with PostgreSQL only
    std::string relay_database_url = {};  // the URL of Ports::relay_database; for "wal"
    std::int64_t low_stock_threshold = low_stock_threshold_default;
    Duration key_lifetime = idempotency_lifetime_default;
    bool keys_are_optional = false;  // no route requires an Idempotency-Key
    // A hint that events may have been committed, which the given pump can relay.
    std::function<void(runtime::Pump&)> on_events_committed = [](runtime::Pump&) {};
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
    std::string_view name() const override { return "inventory-service"; }
    std::vector<http::Route> routes() override;
    std::vector<telemetry::Component> components() override;
    void listen() override;
    std::vector<runtime::NamedPump> pumps() override;
    std::vector<runtime::NamedPump> samplers() override;
    void close() override;
    // Keeps the audit log. It lives as long as the application.
    http::AuditSink& audit_sink();

private:
    struct Internals;
    std::unique_ptr<Internals> internals_;
};

}  // namespace trackops::inventory
