// A bounded pool of connections to one SQLite file. A pool of one connection is the lock of the
// writers.
#pragma once
#include <chrono>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/backoff.hpp"
#include "platform/sql/meters.hpp"
#include "platform/sqlite/connection.hpp"

namespace trackops::sql {

// Thread-safe. The longest waiting caller is served first.
class SqlitePool {
public:
    struct Limits {
        std::size_t connections_max;
        Duration wait;          // maximum wait for a free connection
        const char* exhausted;  // SQLSTATE of a wait that timed out
    };
    SqlitePool(std::string path, Access access, const Options& options, Limits limits,
               Meters& meters);

    // Throws Failure (unavailable) if no connection becomes free in time, or if an attempt to open
    // one has just failed.
    std::unique_ptr<SqliteConnection> take();
    // Passes the connection to the next caller. A connection that is not usable is closed.
    void release(std::unique_ptr<SqliteConnection> connection);

private:
    struct Waiter {
        std::condition_variable wake;
        bool served = false;
    };
    using Lock = std::unique_lock<std::mutex>;

    void wait_for_turn(Lock& lock);
    void pass_turn(const Lock& lock);
    std::unique_ptr<SqliteConnection> open(Lock& lock);
    // Passes the turn to the next caller after a failed open. That caller may have to back off
    // first.
    void abandon_turn(Lock& lock, bool to_back_off);

    const std::string path_;
    const Access access_;
    const Options options_;
    const Limits limits_;
    Meters& meters_;
    std::mutex mutex_;
    std::size_t turns_;  // number of connections that may still be taken
    std::list<Waiter> waiting_;
    std::vector<std::unique_ptr<SqliteConnection>> idle_;
    std::chrono::steady_clock::time_point open_again_at_{};
    Backoff backoff_{connect_backoff};
};

}  // namespace trackops::sql
