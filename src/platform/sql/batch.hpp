// The fault policy for a batch of commands in one transaction: which faults repeat the batch, and
// which command a fault belongs to.
#pragma once
#include <algorithm>
#include <functional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "platform/sql/database.hpp"

namespace trackops::sql {

// How often a batch is repeated after Fault::retryable or a ConcurrencyConflict.
inline constexpr int retries_max = 10;
// How often a batch is repeated to find out the outcome of a commit whose answer was lost.
inline constexpr int unknown_outcome_retries_max = 3;

// A batch throws it when a guarded write found another version than the batch had read. The batch
// is rolled back and repeated from the start.
struct ConcurrencyConflict : std::exception {
    const char* what() const noexcept override { return "somebody else saved first"; }
};

// Runs `send`, a flush or a commit in which a unique violation can only mean that another
// transaction wrote the same row first; throws ConcurrencyConflict then.
void or_conflict(const std::function<void()>& send);

// Returns the error of a command whose batch failed for good.
Error error_of(Fault fault);

// Runs `work` and returns one result for each command, in order. `work` begins and commits one
// transaction over the whole span. It has at most one effect for each cause, so it may run again.
// - Fault::retryable, ConcurrencyConflict: the whole batch is repeated, at most retries_max times.
// - Fault::outcome_unknown: the whole batch is repeated, at most unknown_outcome_retries_max times.
// - Fault::bad_data: the batch is halved until the command with the bad data is alone. That command
// gets
//   Errc::invalid, the others get their results.
// - Fault::unavailable, Fault::defect: each command gets error_of(fault).
// Once the outcome of a commit is unknown (`is_outcome_unknown`), it stays unknown until a run
// succeeds, whatever fault ends the next run.
template <class Command, class T>
std::vector<Result<T>> run_batch(
    Database& database, std::span<const Command> commands,
    const std::function<std::vector<Result<T>>(std::span<const Command>)>& work,
    bool is_outcome_unknown = false) {
    int unknown_outcomes = 0;
    for (int attempt = 0;; ++attempt) {
        Fault fault = Fault::defect;
        try {
            return work(commands);
        } catch (const ConcurrencyConflict&) {
            fault = Fault::retryable;
        } catch (const Failure& failure) {
            fault = failure.fault;
        }
        if (fault == Fault::bad_data && commands.size() > 1) break;
        const bool again =
            (fault == Fault::retryable && attempt < retries_max) ||
            (fault == Fault::outcome_unknown && unknown_outcomes++ < unknown_outcome_retries_max);
        is_outcome_unknown |= fault == Fault::outcome_unknown;
        if (!again) {
            if (is_outcome_unknown && fault != Fault::bad_data) fault = Fault::outcome_unknown;
            return std::vector<Result<T>>(commands.size(), std::unexpected(error_of(fault)));
        }
        database.back_off(attempt);
    }
    const std::size_t half = commands.size() / 2;
    auto answers = run_batch<Command, T>(database, commands.first(half), work, is_outcome_unknown);
    std::ranges::move(
        run_batch<Command, T>(database, commands.subspan(half), work, is_outcome_unknown),
        std::back_inserter(answers));
    return answers;
}

}  // namespace trackops::sql
