#include "sim/sim_database.hpp"

#include <utility>
#include <vector>

#include "order/domain/events.hpp"
#include "sim/crash.hpp"
#include "sim/mutants.hpp"

namespace trackops::sim {
namespace {

[[noreturn]] void fail(sql::Fault fault, const char* sqlstate, const std::string& why) {
    throw sql::Failure(fault, sqlstate, why);
}

class SimTransaction final : public sql::Transaction {
public:
    SimTransaction(ProcessContext& process, DatabaseServer& server, sql::Access access)
        : process_(process),
          server_(server),
          is_write_(access == sql::Access::write),
          real_(server.real->begin(access)) {
        ++process.world.open_transactions;
    }
    ~SimTransaction() override { close(); }

    sql::Statement& add(const sql::Query& query, sql::Params params) override {
        note(query, params);
        return real_->add(as_planted(query), std::move(params));
    }
    sql::Statement& add_batch(const sql::Query& query, std::vector<sql::Params> rows) override {
        for (const sql::Params& params : rows) note(query, params);
        return real_->add_batch(as_planted(query), std::move(rows));
    }
    void flush() override {
        before_call(Fault::crash_at_flush);
        real_->flush();
    }
    void commit() override;

private:
    void before_call(Fault crash);
    void note(const sql::Query& query, const sql::Params& params);
    sql::Query as_planted(const sql::Query& query) const;
    bool may_lie(Fault fault) { return is_write_ && process_.world.faults.occurs(fault); }
    void close() {
        if (std::exchange(is_open_, false)) --process_.world.open_transactions;
    }

    ProcessContext& process_;
    DatabaseServer& server_;
    const bool is_write_;
    const std::unique_ptr<sql::Transaction> real_;
    bool is_open_ = true;
    std::string written_;  // its description in the trace log
    std::string_view last_noted_;
    struct Change {
        Uuid order;
        std::int64_t version;
        std::string status;
    };
    std::vector<Change> changes_;
    std::vector<Uuid> events_about_;
};

void SimTransaction::before_call(Fault crash) {
    if (process_.is_destroyed) fail(sql::Fault::unavailable, "08006", "the process is gone");
    process_.enter_port_call(crash);
    if (server_.is_away) fail(sql::Fault::unavailable, "08006", "the server is away");
    if (process_.world.faults.occurs(Fault::sql_lost))
        fail(sql::Fault::unavailable, "08006", "the connection was lost");
    if (may_lie(Fault::sql_repeat)) fail(sql::Fault::retryable, "40001", "could not serialise");
    if (may_lie(Fault::sql_disk_full)) fail(sql::Fault::unavailable, "53100", "the disk is full");
}

void SimTransaction::commit() {
    World& world = process_.world;
    before_call(Fault::crash_before_commit);
    const bool is_guessing = world.mutant && world.mutant->kind == MutantKind::commit_guessed;
    if (may_lie(Fault::sql_commit_lost)) {
        world.trace(process_.name, "loses a commit of {}: it did not happen", written_);
        if (is_guessing) {
            // The results are available, and then the transaction is rolled back.
            real_->flush();
            return close();
        }
        fail(sql::Fault::outcome_unknown, "08007", "the connection was lost during COMMIT");
    }
    real_->commit();
    close();
    if (!is_write_) return process_.stall();
    ++server_.commits;
    if (server_.commit_observer != nullptr && !events_about_.empty())
        server_.commit_observer->committed(events_about_);
    for (Change& change : changes_)
        server_.changes[change.order][change.version] = {std::move(change.status), world.now};
    if (!written_.empty()) world.trace(process_.name, "commits {}", written_);
    if (may_lie(Fault::sql_answer_lost)) {
        world.trace(process_.name, "does not hear that it happened");
        if (!is_guessing)
            fail(sql::Fault::outcome_unknown, "08007", "the connection was lost during COMMIT");
    }
    for (const Change& change : changes_)
        process_.written.emplace_back(change.order, change.version);
    process_.enter_port_call(Fault::crash_after_commit);
}

// Describes the statement for the trace log: an event by type, order and sequence, any other
// statement by its name. Records the changes of orders.
void SimTransaction::note(const sql::Query& query, const sql::Params& params) {
    if (!is_write_) return;
    if (query.name == "outbox.append") {
        const auto& type = std::get<std::string>(params.at(2).variant());
        const Uuid order = std::get<Uuid>(params.at(1).variant());
        events_about_.push_back(order);
        written_ += fmt::format("{}{} {} #{}", written_.empty() ? "" : ", ", type,
                                process_.world.trace_log.name_of(order),
                                std::get<std::int64_t>(params.at(3).variant()));
    } else if (last_noted_ != query.name) {
        written_ += written_.empty() ? "" : ", ";
        written_ += query.name;
    }
    last_noted_ = query.name;
    if (query.name == "order.insert_history") {
        const auto& type = std::get<std::string>(params.at(3).variant());
        const auto* const rule = order::domain::event_rule_named(type);
        if (rule == nullptr || !rule->is_shown) return;
        changes_.push_back({std::get<Uuid>(params.at(0).variant()),
                            std::get<std::int64_t>(params.at(2).variant()),
                            std::get<std::string>(params.at(4).variant())});
    }
}

sql::Query SimTransaction::as_planted(const sql::Query& query) const {
    const Mutant* const mutant = process_.world.mutant;
    if (mutant == nullptr || mutant->kind != MutantKind::sql_text ||
        mutant->service != server_.service)
        return query;
    if (mutant->query == query.name) return {query.name, mutant->text};
    if (mutant->second_query == query.name) return {query.name, mutant->second_text};
    return query;
}

}  // namespace

std::unique_ptr<sql::Transaction> SimDatabase::begin(sql::Access access) {
    if (process_.is_destroyed) fail(sql::Fault::unavailable, "08006", "the process is gone");
    process_.enter_port_call(Fault::crash_at_begin);
    if (server_.is_away || process_.world.faults.occurs(Fault::sql_refused))
        fail(sql::Fault::unavailable, "08001", "no connection");
    return std::make_unique<SimTransaction>(process_, server_, access);
}

void SimDatabase::back_off(int attempt) {
    World& world = process_.world;
    world.now = world.now + jittered_wait(sql::conflict_backoff, attempt + 1, world.chance.draw());
    process_.enter_port_call(Fault::crash_at_begin);
}

}  // namespace trackops::sim
