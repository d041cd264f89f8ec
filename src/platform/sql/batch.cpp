#include "platform/sql/batch.hpp"

#include <thread>

#include "base/chance.hpp"

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
    std::this_thread::sleep_for(
        jittered_wait(conflict_backoff, attempt + 1, system_chance().draw()));
}

}  // namespace trackops::sql
