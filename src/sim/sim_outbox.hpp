// The orders' outbox as a relay on PostgreSQL sees it: transactions draw their numbers and the
// positions of their events in one order and become visible in another.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "platform/relay/postgres_checkpoint.hpp"
#include "sim/mutants.hpp"
#include "sim/sim_database.hpp"

namespace trackops::sim {

// A database that knows the statements of the PostgreSQL poll source by name and answers them as
// PostgreSQL would. The source, its windows and its checkpoint are the product's. The rows come
// from the simulated SQLite database, which also receives the low-water mark of the stored
// checkpoint for its other readers. SimOutbox itself draws transaction numbers and visibility.
class SimOutbox final : public sql::Database, public CommitObserver {
public:
    SimOutbox(World& world, DatabaseServer& server);

    // A transaction has just committed events about these orders. It may become visible later than
    // transactions after it, but not later than the next transaction about one of its orders, which
    // has waited for a lock that this transaction held until its end.
    void committed(std::span<const Uuid> orders) override;

    std::unique_ptr<sql::Transaction> begin(sql::Access access) override;
    sql::Dialect dialect() const override { return sql::Dialect::postgres; }
    void ping() override {}
    std::string description() const override { return "simulated outbox"; }

private:
    class Reading;
    struct Written {
        std::uint64_t number = 0;
        std::int64_t last_position = 0;
        Instant visible_at;
    };
    struct Event {
        std::int64_t position = 0;
        std::uint64_t number = 0;
        sql::Row row;
    };
    struct Stored {
        std::string base;
        sql::Value target;
        std::int64_t cursor = 0;
    };

    std::uint64_t draw_number();
    const Written& transaction_of(std::int64_t position) const;
    outbox::Snapshot snapshot() const;
    std::vector<Event> visible() const;  // events after the low-water mark, by position
    // Returns the visible events that the snapshot of $1 and $2 does not see.
    std::vector<Event> fresh(const sql::Params& params) const;
    std::vector<sql::Row> answer(std::string_view query, const sql::Params& params) const;
    std::vector<sql::Row> poll(const sql::Params& params) const;
    std::vector<sql::Row> page(const sql::Params& params) const;
    void save(const sql::Params& params);
    bool is_mutant_active(MutantKind kind) const;

    World& world_;
    DatabaseServer& server_;
    std::uint64_t next_number_ = 3;  // as in a new database
    // Drawn numbers of transactions that have written nothing yet.
    std::vector<std::uint64_t> begun_;
    std::vector<Written> written_;  // by position
    // The time at which all events of an order are visible.
    std::map<Uuid, Instant> visible_by_order_;
    std::vector<Stored> checkpoint_;  // empty or one row
    std::int64_t low_water_ = 0;
};

}  // namespace trackops::sim
