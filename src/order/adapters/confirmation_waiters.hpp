// The requests that wait until their order is no longer PENDING, on this replica or another one.
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "order/app/ports.hpp"
#include "platform/runtime/pump.hpp"

namespace trackops::order::adapters {

// Most orders are settled in the process in which their request waits; settled() then answers the
// request at once. run() polls the store, in one query, for the orders that have waited longer than
// poll_interval, because another replica may have settled them. Thread-safe.
class ConfirmationWaiters final : public runtime::Pump {
public:
    // Gets the settled order, or nothing when the order was still PENDING at the end of the wait.
    using Done = std::move_only_function<void(std::optional<domain::Order>)>;
    static constexpr std::size_t waiting_max = 4096;  // requests
    static constexpr Duration poll_interval = std::chrono::milliseconds(25);

    ConfirmationWaiters(app::OrderStore& store, const Clock& clock)
        : store_(store), clock_(clock) {}
    ~ConfirmationWaiters() override { close(); }

    // Calls `done` exactly once: with the order, or with nothing after `at_most`. Calls it at once
    // with nothing when waiting_max requests wait already or after close().
    void wait(domain::OrderId id, Duration at_most, Done done);
    // Answers the requests that wait for these orders, except for orders that are PENDING. Call it
    // with the orders that were just saved in this process.
    void settled(std::span<const domain::Order> orders);
    runtime::Progress run(Duration max_wait) override;
    void wake() override;
    // Answers all requests that wait, with nothing. Idempotent.
    void close();

private:
    struct Waiting {
        Instant since;
        Instant until;
        Done done;
    };
    std::vector<domain::OrderId> orders_to_poll(Duration max_wait);
    std::vector<Waiting> expired(Instant now);

    app::OrderStore& store_;
    const Clock& clock_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::unordered_multimap<domain::OrderId, Waiting> waiting_;
    bool closed_ = false;
    bool woken_ = false;
};

}  // namespace trackops::order::adapters
