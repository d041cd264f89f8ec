// The order service between its ports: what it answers and what works behind it, without a socket,
// a thread or a driver. The module gives it real ones, the simulator its own.
#pragma once
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "order/domain/saga.hpp"
#include "platform/audit/invariant.hpp"
#include "platform/bus/bus.hpp"
#include "platform/cache/cache.hpp"
#include "platform/http/router.hpp"
#include "platform/runtime/pump.hpp"
#include "platform/sql/database.hpp"

namespace trackops::order {

struct Ports {
    sql::Database& database;
    cache::Cache& cache;
    bus::Bus& bus;
    const Clock& clock;
    Ids& ids;
    telemetry::Registry& metrics;
    const Clock* steady_clock = nullptr;  // measures backoffs; the machine's when null
};

struct ApplicationOptions {
    domain::SagaTimeouts timeouts;
    // A hint, from any thread: events were committed and may be relayed.
    std::function<void()> on_events_committed = [] {};
};

// Brings the schema to the newest version, and the rights of the roles with it; over owner_url
// where `database` has not the right itself. Throws as sql::migrate_and_grant() does.
void migrate(sql::Database& database, telemetry::Registry& metrics,
             std::string_view owner_url = {});

// What must be true of the database, for who audits it from outside.
audit::Invariants invariants();

class Application {
public:
    // All that the ports name outlives the application.
    Application(const Ports& ports, ApplicationOptions options);
    ~Application();  // close()
    // Valid while this lives.
    std::vector<http::Route> routes();
    // Makes the topics that are missing and joins the consumer group. Throws std::exception when
    // the bus is away.
    void listen();
    // In the order in which they start. After listen().
    std::vector<runtime::NamedPump> pumps();
    // Answers the requests that only wait for their order to leave PENDING.
    void release_waiting_requests();
    // Answers everything that still waits; the pumps run no more. Idempotent.
    void close();

private:
    struct Internals;
    std::unique_ptr<Internals> internals_;
};

}  // namespace trackops::order
