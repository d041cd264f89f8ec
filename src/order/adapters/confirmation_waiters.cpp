#include "order/adapters/confirmation_waiters.hpp"

#include <set>

#include "platform/telemetry/log.hpp"

namespace trackops::order::adapters {

void ConfirmationWaiters::wait(domain::OrderId id, Duration at_most, Done done) {
    {
        const std::scoped_lock lock(mutex_);
        if (!closed_ && waiting_.size() < waiting_max) {
            const Instant now = clock_.now();
            waiting_.emplace(id, Waiting{now, now + at_most, std::move(done)});
            changed_.notify_one();
            return;
        }
    }
    done(std::nullopt);
}

void ConfirmationWaiters::settled(std::span<const domain::Order> orders) {
    std::vector<std::pair<Done, const domain::Order*>> ready;
    {
        const std::scoped_lock lock(mutex_);
        if (waiting_.empty()) return;
        for (const domain::Order& order : orders) {
            if (order.status == domain::Status::pending) continue;
            const auto [from, to] = waiting_.equal_range(order.id);
            for (auto it = from; it != to; ++it)
                ready.emplace_back(std::move(it->second.done), &order);
            waiting_.erase(from, to);
        }
    }
    for (auto& [done, order] : ready) done(*order);
}

std::vector<ConfirmationWaiters::Waiting> ConfirmationWaiters::expired(Instant now) {
    std::vector<Waiting> list;
    const std::scoped_lock lock(mutex_);
    for (auto it = waiting_.begin(); it != waiting_.end();) {
        if (it->second.until > now) {
            ++it;
            continue;
        }
        list.push_back(std::move(it->second));
        it = waiting_.erase(it);
    }
    return list;
}

// Waits, at most max_wait, until there is a waiting request. Returns the orders to poll.
std::vector<domain::OrderId> ConfirmationWaiters::orders_to_poll(Duration max_wait) {
    std::set<domain::OrderId> ids;
    std::unique_lock lock(mutex_);
    const auto is_awake = [this] { return !waiting_.empty() || closed_ || woken_; };
    // Even a wait of zero time costs a context switch.
    if (max_wait > Duration::zero()) changed_.wait_for(lock, max_wait, is_awake);
    woken_ = false;
    const Instant now = clock_.now();
    for (const auto& [id, waiting] : waiting_) {
        if (waiting.since + poll_interval <= now) ids.insert(id);
    }
    return {ids.begin(), ids.end()};
}

runtime::Progress ConfirmationWaiters::run(Duration max_wait) {
    const std::vector<domain::OrderId> ids = orders_to_poll(max_wait);
    std::size_t found = 0;
    if (!ids.empty()) {
        const auto left = store_.settled(ids);
        if (left) {
            settled(*left);
            found = left->size();
        } else {
            telemetry::log(telemetry::Level::warn, "confirmations", left.error().detail);
        }
    }
    for (Waiting& waiting : expired(clock_.now())) waiting.done(std::nullopt);
    return {found, poll_interval};
}

void ConfirmationWaiters::wake() {
    {
        const std::scoped_lock lock(mutex_);
        woken_ = true;
    }
    changed_.notify_all();
}

void ConfirmationWaiters::close() {
    std::unordered_multimap<domain::OrderId, Waiting> left;
    {
        const std::scoped_lock lock(mutex_);
        closed_ = true;
        left.swap(waiting_);
    }
    changed_.notify_all();
    for (auto& [id, waiting] : left) waiting.done(std::nullopt);
}

}  // namespace trackops::order::adapters
