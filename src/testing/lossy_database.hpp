// A fake database that loses the answers of commits, or the commits, or lets others come first.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "platform/sql/database.hpp"

namespace trackops::testing {

// Wraps a real database. Each of the next `lose` commits of write transactions succeeds, but throws
// Failure with Fault::outcome_unknown. Without them, and behind `spare` commits that pass, each of
// the next `refuse` commits is rolled back and throws Failure with Fault::unavailable.
class LossyDatabase final : public sql::Database {
public:
    explicit LossyDatabase(sql::Database& real) : real_(real) {}
    std::atomic<int> lose = 0;
    std::atomic<int> spare = 0;
    std::atomic<int> refuse = 0;
    // Runs once, before the next write transaction begins. Not thread-safe.
    std::function<void()> before_write;
    // Runs once, behind the next commit of a write transaction. Not thread-safe.
    std::function<void()> after_commit;

    std::unique_ptr<sql::Transaction> begin(sql::Access access) override {
        if (before_write && access == sql::Access::write) std::exchange(before_write, {})();
        return std::make_unique<Lossy>(real_.begin(access),
                                       access == sql::Access::write ? this : nullptr);
    }
    sql::Dialect dialect() const override { return real_.dialect(); }
    void ping() override { real_.ping(); }
    std::string description() const override { return real_.description(); }

private:
    class Lossy final : public sql::Transaction {
    public:
        Lossy(std::unique_ptr<sql::Transaction> real, LossyDatabase* faults)
            : real_(std::move(real)), faults_(faults) {}
        sql::Statement& add(const sql::Query& query, sql::Params params) override {
            return real_->add(query, std::move(params));
        }
        sql::Statement& add_batch(const sql::Query& query, std::vector<sql::Params> rows) override {
            return real_->add_batch(query, std::move(rows));
        }
        void flush() override { real_->flush(); }
        void commit() override {
            if (faults_ != nullptr && faults_->lose == 0 && faults_->spare > 0) {
                --faults_->spare;
            } else if (faults_ != nullptr && faults_->lose == 0 && faults_->refuse > 0) {
                --faults_->refuse;
                real_->flush();
                throw sql::Failure(sql::Fault::unavailable, "", "the commit was refused");
            }
            real_->commit();
            if (faults_ != nullptr && faults_->after_commit)
                std::exchange(faults_->after_commit, {})();
            if (faults_ != nullptr && faults_->lose > 0) {
                --faults_->lose;
                throw sql::Failure(sql::Fault::outcome_unknown, "",
                                   "the answer of the commit was lost");
            }
        }

    private:
        std::unique_ptr<sql::Transaction> real_;
        LossyDatabase* faults_;  // of a write transaction only
    };

    sql::Database& real_;
};

}  // namespace trackops::testing
