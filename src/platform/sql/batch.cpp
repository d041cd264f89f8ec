#include "platform/sql/batch.hpp"

#include <chrono>
#include <random>
#include <thread>

namespace trackops::sql {

void or_conflict(const std::function<void()>& send) {
    try {
        send();
    } catch (const Failure& failure) {
        if (failure.sqlstate == "23505") throw ConcurrencyConflict();
        throw;
    }
}

Error error_of(Fault fault) {
    // The message of the database stays in the log, because it may name tables and values.
    switch (fault) {
        case Fault::bad_data:
            return {Errc::invalid, "the database refused this data"};
        case Fault::retryable:
            return {Errc::unavailable, "too many writers at once; try again"};
        case Fault::unavailable:
            return {Errc::unavailable, "the database is not available; try again"};
        case Fault::outcome_unknown:
            return {Errc::outcome_unknown,
                    "the answer to the commit was lost; ask again with the same key"};
        case Fault::defect:
            break;
    }
    return {Errc::internal, "a defect of ours; the log says more"};
}

void Database::back_off(int attempt) {
    using std::chrono::microseconds;
    thread_local std::minstd_rand chance(std::random_device{}());
    const auto longest = std::min(50'000, 1'000 << std::clamp(attempt, 0, 6));
    std::this_thread::sleep_for(
        microseconds(std::uniform_int_distribution(longest / 2, longest)(chance)));
}

}  // namespace trackops::sql
