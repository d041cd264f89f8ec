// The inventory service between its ports: what it answers and what works behind it, without a
// socket, a thread or a driver. The module gives it real ones, the simulator its own.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "platform/audit/invariant.hpp"
#include "platform/bus/bus.hpp"
#include "platform/http/router.hpp"
#include "platform/runtime/pump.hpp"
#include "platform/sql/database.hpp"

namespace trackops::inventory {

struct Ports {
    sql::Database& database;
    sql::Database& relay_database;  // the same one, with the relay's rights
    bus::Bus& bus;
    const Clock& clock;
    Ids& ids;
    telemetry::Registry& metrics;
    const Clock* steady_clock = nullptr;  // measures backoffs; the machine's when null
};

struct ApplicationOptions {
    std::string consumer_group = "inventory-service";
    std::string relay_holder;             // this process in the lease of its outbox
    std::string relay_source = "poll";    // or "wal", over PostgreSQL only
    std::string relay_database_url = {};  // that of Ports::relay_database; for "wal"
    // A hint: events were committed, and this pump may relay them.
    std::function<void(runtime::Pump&)> on_events_committed = [](runtime::Pump&) {};
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
    // Answers everything that still waits; the pumps run no more. Idempotent.
    void close();

private:
    struct Internals;
    std::unique_ptr<Internals> internals_;
};

}  // namespace trackops::inventory
