#include "platform/sqlite/sqlite.hpp"

#include <deque>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "platform/sql/meters.hpp"
#include "platform/sqlite/pool.hpp"

namespace trackops::sql {
namespace {

using std::chrono::steady_clock;

class SqliteStatement final : public Statement {
public:
    SqliteStatement(const Query& query, std::vector<Params> params)
        : query_(query), params_(std::move(params)) {}

    void run(SqliteConnection& connection) {
        for (const auto& params : params_) affected_ += connection.run(query_, params, rows_);
        params_ = {};
        done_ = true;
    }
    const std::vector<Row>& rows() const override {
        require_done();
        return rows_;
    }
    std::size_t affected() const override {
        require_done();
        return affected_;
    }

private:
    void require_done() const {
        if (!done_)
            throw std::logic_error(
                fmt::format("{}: results are asked for before the flush", query_.name));
    }

    const Query query_;
    std::vector<Params> params_;
    std::vector<Row> rows_;
    std::size_t affected_ = 0;
    bool done_ = false;
};

// A connection lent by its pool until release() or destruction.
class Lease {
public:
    explicit Lease(SqlitePool& pool) : pool_(pool), connection_(pool.take()) {}
    ~Lease() { release(); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    SqliteConnection& connection() { return *connection_; }
    void release() {
        if (connection_) pool_.release(std::move(connection_));
    }

private:
    SqlitePool& pool_;
    std::unique_ptr<SqliteConnection> connection_;
};

class SqliteTransaction final : public Transaction {
public:
    SqliteTransaction(SqlitePool& pool, Meters& meters, Access access)
        : lease_(pool), meters_(meters) {
        lease_.connection().run(access == Access::write ? "BEGIN IMMEDIATE" : "BEGIN");
    }
    ~SqliteTransaction() override {
        if (state_ != State::committed) roll_back();
    }

    Statement& add(const Query& query, Params params) override {
        std::vector<Params> once;
        once.push_back(std::move(params));
        return add_batch(query, std::move(once));
    }
    Statement& add_batch(const Query& query, std::vector<Params> rows) override {
        require_open();
        return statements_.emplace_back(query, std::move(rows));
    }
    void flush() override {
        measured([this] { run_queued(); });
    }
    void commit() override {
        measured([this] {
            run_queued();
            run_commit();
        });
        state_ = State::committed;
        lease_.release();
    }

private:
    enum class State : std::uint8_t { open, failed, committed };

    void require_open() const {
        if (state_ == State::failed)
            throw std::logic_error("a failed transaction can only be destroyed");
        if (state_ == State::committed) throw std::logic_error("the transaction is committed");
    }
    void run_queued() {
        for (; done_ < statements_.size(); ++done_) statements_[done_].run(lease_.connection());
    }
    void run_commit() {
        try {
            lease_.connection().run("COMMIT");
        } catch (const Failure& failure) {
            // The last page of the transaction may or may not have reached the disk; only a read
            // after recovery can tell.
            if (failure.sqlstate == "58030")
                throw Failure(Fault::outcome_unknown, failure.sqlstate, failure.what());
            throw;
        }
    }
    template <class Work>
    void measured(Work work) {
        require_open();
        const auto start = steady_clock::now();
        try {
            work();
        } catch (const Failure& failure) {
            state_ = State::failed;
            meters_.failed(failure.fault);
            throw;
        } catch (...) {
            state_ = State::failed;
            throw;
        }
        meters_.flushed(duration_cast<Duration>(steady_clock::now() - start));
    }
    void roll_back() noexcept {
        if (!lease_.connection().in_transaction()) return;
        try {
            lease_.connection().run("ROLLBACK");
        } catch (const std::exception&) {
            // The pool closes a connection that is still in a transaction.
            meters_.failed(Fault::unavailable);
        }
    }

    Lease lease_;
    Meters& meters_;
    std::deque<SqliteStatement> statements_;  // a deque, so that its elements do not move
    std::size_t done_ = 0;
    State state_ = State::open;
};

class SqliteDatabase final : public Database {
public:
    SqliteDatabase(const std::string& path, const Options& options, telemetry::Registry& metrics)
        : path_(path),
          meters_(metrics, std::filesystem::path(path).stem().string()),
          readers_(path, Access::read, options,
                   {options.connections_max, options.connection_wait, "53300"}, meters_),
          writer_(path, Access::write, options, {1, options.lock_timeout, locked}, meters_) {}

    std::unique_ptr<Transaction> begin(Access access) override {
        try {
            return std::make_unique<SqliteTransaction>(access == Access::write ? writer_ : readers_,
                                                       meters_, access);
        } catch (const Failure& failure) {
            meters_.failed(failure.fault);
            throw;
        }
    }
    Dialect dialect() const override { return Dialect::sqlite; }
    void ping() override {
        const auto tx = begin(Access::write);
        // SELECT 1 would not read the file.
        tx->add({"sqlite.ping", "SELECT count(*) FROM sqlite_schema"}, {});
        tx->commit();
    }
    std::string description() const override { return "sqlite:" + path_; }

private:
    const std::string path_;
    Meters meters_;
    SqlitePool readers_;
    SqlitePool writer_;
};

class MemoryDatabase final : public Database {
public:
    MemoryDatabase(const Options& options, telemetry::Registry& metrics)
        : meters_(metrics, "memory"),
          pool_(in_memory, Access::write, options, {1, options.lock_timeout, locked}, meters_) {}

    std::unique_ptr<Transaction> begin(Access access) override {
        return std::make_unique<SqliteTransaction>(pool_, meters_, access);
    }
    Dialect dialect() const override { return Dialect::sqlite; }
    void ping() override {}
    std::string description() const override { return "sqlite in memory"; }

private:
    Meters meters_;
    SqlitePool pool_;
};

}  // namespace

std::unique_ptr<Database> open_in_memory(const Options& options, telemetry::Registry& metrics) {
    return std::make_unique<MemoryDatabase>(options, metrics);
}

std::unique_ptr<Database> open_sqlite(std::string_view path, const Options& options,
                                      telemetry::Registry& metrics) {
    return std::make_unique<SqliteDatabase>(std::string(path), options, metrics);
}

}  // namespace trackops::sql
