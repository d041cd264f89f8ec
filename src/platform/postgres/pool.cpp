#include "platform/postgres/pool.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/chance.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::sql::postgres {

void ConnectGate::failed(Time begun, Time now, double chance) {
    is_trying_ = false;
    if (backoff_.has_failed() && begun < failed_at_) return;
    retry_at_ = now + backoff_.failed(chance);
    failed_at_ = now;
}

void ConnectGate::succeeded() {
    backoff_.succeeded();
    is_trying_ = false;
}

Duration ConnectGate::left(Time now) const {
    return std::max(Duration::zero(), std::chrono::ceil<Duration>(retry_at_ - now));
}

Pool::Pool(Target target, const Options& options, telemetry::Registry& metrics)
    : target_(std::move(target)),
      options_(options),
      meters_(metrics, target_.database),
      reconnects_(metrics.counter("trackops_sql_reconnects_total",
                                  "Connections made in place of lost ones.",
                                  {{"database", target_.database}})) {}

std::unique_ptr<Connection> Pool::take(Time deadline) {
    const auto until = std::min(deadline, Clock::now() + options_.connection_wait);
    std::unique_lock lock(mutex_);
    for (;;) {
        auto connection = take_idle();
        if (!connection && open_ < options_.connections_max) connection = connect(lock, deadline);
        if (connection) {
            connection->set_deadline(deadline);
            meters_.in_use(1);
            return connection;
        }
        const auto is_free = [this] { return !idle_.empty() || open_ < options_.connections_max; };
        if (freed_.wait_until(lock, until, is_free)) continue;
        meters_.pool_exhausted();
        throw Failure(Fault::unavailable, "",
                      fmt::format("{}: all {} connections are busy", target_.description,
                                  options_.connections_max));
    }
}

std::unique_ptr<Connection> Pool::take_idle() {
    while (!idle_.empty()) {
        auto connection = std::move(idle_.back());
        idle_.pop_back();
        if (connection->has_no_unexpected_input()) return connection;
        --open_;
        ++lost_;
    }
    return nullptr;
}

std::unique_ptr<Connection> Pool::connect(std::unique_lock<std::mutex>& lock, Time deadline) {
    const auto begun = Clock::now();
    if (!gate_.may_try(begun)) {
        throw Failure(
            Fault::unavailable, "",
            fmt::format("{}: the server is away, next attempt in {} ms", target_.description,
                        std::chrono::ceil<std::chrono::milliseconds>(gate_.left(begun)).count()));
    }
    gate_.trying();
    ++open_;
    lock.unlock();
    try {
        auto connection = std::make_unique<Connection>(target_, options_, deadline);
        lock.lock();
        gate_.succeeded();
        if (lost_ > 0) {
            --lost_;
            reconnects_.add();
        }
        return connection;
    } catch (...) {
        lock.lock();
        --open_;
        lost_ = std::max<std::size_t>(lost_, 1);
        gate_.failed(begun, Clock::now(), system_chance().draw());
        freed_.notify_one();
        throw;
    }
}

void Pool::release(std::unique_ptr<Connection> connection) {
    meters_.in_use(-1);
    const bool is_reusable = connection->is_reusable();
    if (!is_reusable) connection.reset();
    const std::lock_guard lock(mutex_);
    if (is_reusable) {
        idle_.push_back(std::move(connection));
    } else {
        --open_;
        ++lost_;
    }
    freed_.notify_one();
}

}  // namespace trackops::sql::postgres
