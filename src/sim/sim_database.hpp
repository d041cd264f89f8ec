// A database server as one process sees it: the SQLite driver with faults at its calls.
#pragma once
#include <map>
#include <memory>
#include <span>
#include <string>

#include "platform/sql/database.hpp"
#include "sim/world.hpp"

namespace trackops::sim {

// A committed change of an order. `at` is the world's time.
struct CommittedChange {
    std::string status;
    Instant at;
};

// Learns of each transaction that has committed events.
class CommitObserver {
public:
    virtual ~CommitObserver() = default;
    virtual void committed(std::span<const Uuid> orders) = 0;
};

// The database server that all processes share.
struct DatabaseServer {
    std::string service;  // order or inventory
    std::unique_ptr<sql::Database> real;
    bool is_away = false;
    std::int64_t commits = 0;  // the number of committed write transactions
    std::map<Uuid, std::map<std::int64_t, CommittedChange>> changes = {};  // by order and version
    CommitObserver* commit_observer = nullptr;
};

class SimDatabase final : public sql::Database {
public:
    SimDatabase(ProcessContext& process, DatabaseServer& server)
        : process_(process), server_(server) {}
    std::unique_ptr<sql::Transaction> begin(sql::Access access) override;
    sql::Dialect dialect() const override { return server_.real->dialect(); }
    void ping() override { begin(sql::Access::read)->commit(); }
    void back_off(int attempt) override;
    std::string description() const override { return "simulated " + server_.service; }

private:
    ProcessContext& process_;
    DatabaseServer& server_;
};

}  // namespace trackops::sim
