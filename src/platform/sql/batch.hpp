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

inline constexpr int repeat_max = 10;  // times a batch runs again for Fault::repeat or LostRace
inline constexpr int unknown_max =
    3;  // times a batch runs again to find out what its lost commit did

// Thrown by a batch when a guarded write found another version than was read: rolled back, runs
// again from the start.
struct LostRace : std::exception {
    const char* what() const noexcept override { return "somebody else saved first"; }
};

// Sends a flush or a commit in which a unique violation can only mean that somebody faster wrote
// the same row: LostRace.
void or_lose(const std::function<void()>& send);

// What is left when repeating did not help: Errc::unavailable, Errc::outcome_unknown, or
// Errc::internal for a defect.
Error error_of(Fault fault);
// Runs `work` (one transaction over the whole span, begun and committed by it; at most one effect a
// cause, so it may run again) and answers each command:
//   Fault::repeat, LostRace     the whole batch runs again, at most repeat_max times
//   Fault::outcome_unknown      the whole batch runs again (its causes make that safe), at most
//   unknown_max times Fault::culprit              the batch is halved until the culprit is alone;
//   it gets Errc::invalid, its neighbours their answers Fault::unavailable, broken  nothing is
//   split; each command gets error_of()
// Once a commit's outcome is unknown (`is_unknown`), it stays so until a run succeeds, whatever
// fault kept the next run from finding out.
template <class Command, class T>
std::vector<Result<T>> run_batch(
    Database& database, std::span<const Command> commands,
    const std::function<std::vector<Result<T>>(std::span<const Command>)>& work,
    bool is_unknown = false) {
    int unknowns = 0;
    for (int attempt = 0;; ++attempt) {
        Fault fault = Fault::broken;
        try {
            return work(commands);
        } catch (const LostRace&) {
            fault = Fault::repeat;
        } catch (const Failure& failure) {
            fault = failure.fault;
        }
        if (fault == Fault::culprit && commands.size() > 1) break;
        const bool again = (fault == Fault::repeat && attempt < repeat_max) ||
                           (fault == Fault::outcome_unknown && unknowns++ < unknown_max);
        is_unknown |= fault == Fault::outcome_unknown;
        if (!again) {
            if (is_unknown && fault != Fault::culprit) fault = Fault::outcome_unknown;
            return std::vector<Result<T>>(commands.size(), std::unexpected(error_of(fault)));
        }
        database.back_off(attempt);
    }
    const std::size_t half = commands.size() / 2;
    auto answers = run_batch<Command, T>(database, commands.first(half), work, is_unknown);
    std::ranges::move(run_batch<Command, T>(database, commands.subspan(half), work, is_unknown),
                      std::back_inserter(answers));
    return answers;
}

}  // namespace trackops::sql
