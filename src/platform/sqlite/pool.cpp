#include "platform/sqlite/pool.hpp"

#include <fmt/format.h>

#include "base/chance.hpp"

namespace trackops::sql {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

SqlitePool::SqlitePool(std::string path, Access access, const Options& options, Limits limits,
                       Meters& meters)
    : path_(std::move(path)),
      access_(access),
      options_(options),
      limits_(limits),
      meters_(meters),
      turns_(limits.connections_max) {}

std::unique_ptr<SqliteConnection> SqlitePool::take() {
    Lock lock(mutex_);
    wait_for_turn(lock);
    std::unique_ptr<SqliteConnection> connection;
    if (idle_.empty()) {
        connection = open(lock);
    } else {
        connection = std::move(idle_.back());
        idle_.pop_back();
    }
    meters_.in_use(+1);
    return connection;
}

void SqlitePool::release(std::unique_ptr<SqliteConnection> connection) {
    meters_.in_use(-1);
    if (!connection->is_usable() || connection->in_transaction()) connection.reset();
    const Lock lock(mutex_);
    if (connection) idle_.push_back(std::move(connection));
    pass_turn(lock);
}

void SqlitePool::wait_for_turn(Lock& lock) {
    if (turns_ > 0) {
        --turns_;
        return;
    }
    const auto self = waiting_.emplace(waiting_.end());
    const bool served = self->wake.wait_for(lock, limits_.wait, [&] { return self->served; });
    waiting_.erase(self);
    if (!served) {
        meters_.pool_exhausted();
        throw Failure(Fault::unavailable, limits_.exhausted,
                      fmt::format("{}: no connection came free in {} ms", path_,
                                  duration_cast<milliseconds>(limits_.wait).count()));
    }
}

void SqlitePool::pass_turn(const Lock&) {
    for (auto& waiter : waiting_) {
        if (waiter.served) continue;
        waiter.served = true;
        waiter.wake.notify_one();
        return;
    }
    ++turns_;
}

std::unique_ptr<SqliteConnection> SqlitePool::open(Lock& lock) {
    try {
        if (steady_clock::now() < open_again_at_) {
            throw Failure(Fault::unavailable, "08001",
                          path_ + ": could not be opened a moment ago");
        }
        lock.unlock();
        auto connection = std::make_unique<SqliteConnection>(path_, access_, options_);
        lock.lock();
        backoff_.succeeded();
        return connection;
    } catch (const Failure& failure) {
        // A lock is temporary, and this open has waited for it already.
        abandon_turn(lock, failure.sqlstate != locked);
        throw;
    } catch (...) {
        abandon_turn(lock, true);
        throw;
    }
}

void SqlitePool::abandon_turn(Lock& lock, bool to_back_off) {
    if (!lock.owns_lock()) {
        lock.lock();
        if (to_back_off) {
            open_again_at_ = steady_clock::now() + backoff_.failed(system_chance().draw());
        }
    }
    pass_turn(lock);
}

}  // namespace trackops::sql
