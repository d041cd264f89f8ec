// The one policy for a batch of commands in one transaction: who is to blame for a fault, and what
// is tried again.
#pragma once
#include <algorithm>
#include <functional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "platform/sql/database.hpp"

namespace trackops::sql {

inline constexpr int retries_max =
    10;  // times a batch runs again for Fault::retryable or ConcurrencyConflict
inline constexpr int unknown_outcome_retries_max =
    3;  // times a batch runs again to find out what its lost commit did

// Thrown by a batch when a guarded write found another version than was read: rolled back, runs
// again from the start.
struct ConcurrencyConflict : std::exception {
    const char* what() const noexcept override { return "somebody else saved first"; }
};

// Sends a flush or a commit in which a unique violation can only mean that somebody faster wrote
// the same row: ConcurrencyConflict.
void or_conflict(const std::function<void()>& send);

// What is left when repeating did not help: Errc::unavailable, Errc::outcome_unknown, or
// Errc::internal for a defect.
Error error_of(Fault fault);
// Runs `work` (one transaction over the whole span, begun and committed by it; at most one effect a
// cause, so it may run again) and answers each command:
//   Fault::retryable, ConcurrencyConflict     the whole batch runs again, at most retries_max times
//   Fault::outcome_unknown      the whole batch runs again (its causes make that safe), at most
//   unknown_outcome_retries_max times Fault::bad_data              the batch is halved until the
//   culprit is alone; it gets Errc::invalid, its neighbours their answers Fault::unavailable,
//   broken  nothing is split; each command gets error_of()
// Once a commit's outcome is unknown (`is_outcome_unknown`), it stays so until a run succeeds,
// whatever fault kept the next run from finding out.
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
