// Requests that wait until their order has left PENDING, on whichever replica that happens.
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

// Most orders are settled in the process that they wait in, which says so at once. The store is
// asked, in one query, only for those that have waited for an interval: another replica may have
// settled them.
class ConfirmationWaiters final : public runtime::Pump {
public:
    using Done =
        std::move_only_function<void(std::optional<domain::Order>)>;  // nothing: still PENDING
                                                                      // when the time was up
    static constexpr std::size_t waiting_max = 4096;                  // requests
    static constexpr Duration poll_interval = std::chrono::milliseconds(25);

    ConfirmationWaiters(app::OrderStore& store, const Clock& clock)
        : store_(store), clock_(clock) {}
    ~ConfirmationWaiters() override { close(); }

    // done runs exactly once; at once when too many wait or after close().
    void wait(domain::OrderId id, Duration at_most, Done done);
    // Orders that were just settled in this process: spares them the next poll.
    void settled(std::span<const domain::Order> orders);
    runtime::Progress run(Duration max_wait) override;
    void wake() override;
    // Answers everybody who waits. Idempotent.
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
