// The orders' outbox as a relay on PostgreSQL sees it: transactions draw their numbers and their
// events' positions in one order, and become visible in another.
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

// Rows are those of the simulated SQLite database, which holds the stored checkpoint's low-water
// mark as well, for whoever reads that; numbers and visibility are drawn here. A database that
// knows the statements of the PostgreSQL poll source by their names: what it answers to them is
// what PostgreSQL would, while the source, its windows and its checkpoint are the product's.
class SimOutbox final : public sql::Database, public CommitObserver {
public:
    SimOutbox(World& world, DatabaseServer& server);

    // Of a transaction that has just committed events about these orders. It may be visible later
    // than those that come after it, but not later than the next about one of its orders: that one
    // has waited for a lock which this one held until its end.
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
    std::vector<Event> visible() const;  // behind the low-water mark, in the order of position
    std::vector<Event> fresh(const sql::Params& params) const;  // of $1, $2 and what is visible
    std::vector<sql::Row> answer(std::string_view query, const sql::Params& params) const;
    std::vector<sql::Row> poll(const sql::Params& params) const;
    std::vector<sql::Row> page(const sql::Params& params) const;
    void save(const sql::Params& params);
    bool is_mutant_active(MutantKind kind) const;

    World& world_;
    DatabaseServer& server_;
    std::uint64_t next_number_ = 3;             // as in a database that has just been made
    std::vector<std::uint64_t> begun_;          // numbers drawn, nothing written yet
    std::vector<Written> written_;              // in the order of position
    std::map<Uuid, Instant> visible_by_order_;  // when all about it is
    std::vector<Stored> checkpoint_;            // none or one
    std::int64_t low_water_ = 0;
};

}  // namespace trackops::sim
