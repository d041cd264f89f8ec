// A bounded pool of connections to one SQLite file. With a maximum of one it is the lock of the
// writers.
#pragma once
#include <chrono>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "platform/sql/drivers.hpp"
#include "platform/sqlite/connection.hpp"

namespace trackops::sql {

// Thread-safe. Who waits longest is served first.
class SqlitePool {
public:
    struct Limits {
        std::size_t connections_max;
        Duration wait;          // for a free connection
        const char* exhausted;  // SQLSTATE when the wait was in vain
    };
    SqlitePool(std::string path, Access access, const Options& options, Limits limits,
               Meters& meters);

    // Throws Failure(unavailable) when none comes free in time, or while opening one failed a
    // moment ago.
    std::unique_ptr<SqliteConnection> take();
    // Lets the next one have it; one that is not sound is closed.
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
    // Opening failed: the turn is the next one's, who may have to wait before it tries.
    void abandon_turn(Lock& lock, bool to_back_off);

    const std::string path_;
    const Access access_;
    const Options options_;
    const Limits limits_;
    Meters& meters_;
    std::mutex mutex_;
    std::size_t turns_;  // connections that may still be taken
    std::list<Waiter> waiting_;
    std::vector<std::unique_ptr<SqliteConnection>> idle_;
    std::chrono::steady_clock::time_point open_again_at_{};
    std::chrono::milliseconds open_delay_{0};
};

}  // namespace trackops::sql
