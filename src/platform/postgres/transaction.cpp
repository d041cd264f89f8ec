#include "platform/postgres/transaction.hpp"

#include <chrono>
#include <deque>
#include <stdexcept>

#include <fmt/format.h>

namespace trackops::sql::postgres {
namespace {

class PostgresStatement final : public Statement {
public:
    PostgresStatement(std::string_view name, std::string_view text, std::vector<Params> rows,
                      bool as_arrays)
        : name_(name), text_(text), parameters_(std::move(rows)), as_arrays_(as_arrays) {}

    const std::vector<Row>& rows() const override { return outcome().rows; }
    std::size_t affected() const override { return outcome().affected; }

    const std::string& name() const { return name_; }
    const std::string& text() const { return text_; }
    bool is_parameterless() const { return parameters_.empty() || parameters_.front().empty(); }
    bool is_empty() const { return parameters_.empty(); }

    void refuse_bad_text() const {
        for (const Params& row : parameters_) {
            for (std::size_t i = 0; i < row.size(); ++i)
                postgres::refuse_bad_text(row[i], {name_, i + 1});
        }
    }

    void send(Connection& connection, const Prepared& prepared) {
        outcome_ = {};
        if (as_arrays_) return connection.execute_arrays(prepared, name_, parameters_, outcome_);
        for (const Params& row : parameters_) connection.execute(prepared, name_, row, outcome_);
    }

    void finish() {
        is_finished_ = true;
        parameters_ = {};
    }

private:
    const Outcome& outcome() const {
        if (!is_finished_)
            throw std::logic_error(
                fmt::format("query {}: asked for results before its flush", name_));
        return outcome_;
    }

    const std::string name_;
    const std::string text_;
    std::vector<Params> parameters_;  // one row for add()
    const bool as_arrays_;
    Outcome outcome_;
    bool is_finished_ = false;
};

class PostgresTransaction final : public Transaction {
public:
    PostgresTransaction(Pool& pool, Access access)
        : pool_(pool),
          access_(access),
          deadline_(std::chrono::steady_clock::now() + pool.options().transaction_timeout),
          connection_(take()) {}

    ~PostgresTransaction() override {
        if (!connection_) return;
        if (has_begun_) connection_->rollback();
        pool_.release(std::move(connection_));
    }

    Statement& add(const Query& query, Params params) override {
        std::vector<Params> rows;
        rows.push_back(std::move(params));
        return queue(query.name, query.postgres.empty() ? query.text : query.postgres,
                     std::move(rows), false);
    }

    Statement& add_batch(const Query& query, std::vector<Params> rows) override {
        const bool is_plain = query.single_row_uses_text && rows.size() == 1;
        const bool as_arrays = !query.postgres_batch.empty() && !is_plain;
        return queue(query.name, as_arrays ? query.postgres_batch : query.text, std::move(rows),
                     as_arrays);
    }

    void flush() override {
        expect_open();
        if (first_queued_ < statements_.size()) run_segment(false);
    }

    void extend(Duration from_now) override {
        expect_open();
        deadline_ = std::chrono::steady_clock::now() + from_now;
        connection_->set_deadline(deadline_);
    }

    void commit() override {
        expect_open();
        if (has_begun_ || first_queued_ < statements_.size()) run_segment(true);
        is_open_ = false;
        pool_.release(std::move(connection_));
    }

private:
    std::unique_ptr<Connection> take() {
        try {
            return pool_.take(deadline_);
        } catch (const Failure& failure) {
            pool_.meters().failed(failure.fault);
            throw;
        }
    }

    void expect_open() const {
        if (!is_open_)
            throw std::logic_error("the transaction has ended, it can only be destroyed");
    }

    Statement& queue(std::string_view name, std::string_view text, std::vector<Params> rows,
                     bool as_arrays) {
        expect_open();
        return statements_.emplace_back(name, text, std::move(rows), as_arrays);
    }

    void run_segment(bool with_commit) {
        const auto started = std::chrono::steady_clock::now();
        is_open_ = false;  // set again when the segment has succeeded
        try {
            for (std::size_t i = first_queued_; i < statements_.size(); ++i)
                statements_[i].refuse_bad_text();
            send_or_move(with_commit);
        } catch (Failure& failure) {
            // For a reader it makes no difference whether its COMMIT happened.
            if (access_ == Access::read && failure.fault == Fault::outcome_unknown)
                failure.fault = Fault::unavailable;
            pool_.meters().failed(failure.fault);
            throw;
        }
        for (; first_queued_ < statements_.size(); ++first_queued_)
            statements_[first_queued_].finish();
        is_open_ = true;
        pool_.meters().flushed(
            std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - started));
    }

    // A connection may break while it is idle in the pool. If the caller has seen no result of this
    // transaction and no COMMIT was sent, the transaction moves to a new connection, once.
    void send_or_move(bool with_commit) {
        const bool is_first = !has_begun_;
        try {
            return send_segment(with_commit);
        } catch (const Failure& failure) {
            const bool may_move = is_first && failure.fault == Fault::unavailable &&
                                  connection_->is_lost_uncommitted() &&
                                  !(with_commit && has_begun_);
            if (!may_move) throw;
        }
        has_begun_ = false;
        pool_.release(std::move(connection_));
        connection_ = pool_.take(deadline_);
        send_segment(with_commit);
    }

    void send_segment(bool with_commit) {
        connection_->expect_alive();
        if (!has_begun_) {
            has_begun_ = true;
            connection_->control(access_ == Access::read ? Control::begin_read
                                                         : Control::begin_write);
            connection_->replan_when_due();
        }
        for (std::size_t i = first_queued_; i < statements_.size(); ++i) {
            if (statements_[i].is_empty()) continue;
            statements_[i].send(*connection_, prepared_for(i));
        }
        if (with_commit) connection_->control(Control::commit);
        connection_->finish();
    }

    // Returns the prepared statement of this connection. An unknown statement is prepared together
    // with all unknown statements after it, in one round trip. The preparation stops before a
    // statement without parameters, because that one may create tables which later statements use.
    const Prepared& prepared_for(std::size_t at) {
        const auto& wanted = statements_[at];
        if (Prepared* known = connection_->find(wanted.text())) return *known;
        if (wanted.is_parameterless())
            return connection_->prepare_without_describe(wanted.text(), wanted.name());
        for (std::size_t i = at; i < statements_.size(); ++i) {
            const auto& statement = statements_[i];
            if (connection_->find(statement.text()) != nullptr || statement.is_empty()) continue;
            if (statement.is_parameterless()) break;
            connection_->prepare(statement.text(), statement.name());
        }
        connection_->finish();
        return *connection_->find(wanted.text());
    }

    Pool& pool_;
    const Access access_;
    Pool::Time deadline_;
    std::deque<PostgresStatement> statements_;
    std::size_t first_queued_ = 0;  // earlier statements have their results
    std::unique_ptr<Connection> connection_;
    bool has_begun_ = false;  // BEGIN was queued
    bool is_open_ = true;
};

}  // namespace

std::unique_ptr<Transaction> begin(Pool& pool, Access access) {
    return std::make_unique<PostgresTransaction>(pool, access);
}

}  // namespace trackops::sql::postgres
