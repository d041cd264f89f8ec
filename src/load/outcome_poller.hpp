// Schedules the status requests of pending orders: at growing intervals, the longest overdue first.
#pragma once
#include <cstddef>
#include <optional>
#include <queue>
#include <vector>

#include "base/instant.hpp"

namespace trackops::load {

inline constexpr Duration poll_interval_min = std::chrono::milliseconds(10);
inline constexpr Duration poll_interval_max = std::chrono::seconds(1);

class OutcomePoller {
public:
    void add(std::size_t order, Duration now) { put(order, now, poll_interval_min); }
    struct PollTask {
        std::size_t order;
        Duration interval;
    };
    // Removes and returns the poll task that is longest overdue; nothing if no task is due.
    std::optional<PollTask> take(Duration now);
    // Schedules the next poll of an order that is still pending. The interval grows by half, up to
    // poll_interval_max.
    void reschedule(PollTask poll_task, Duration now);
    std::optional<Duration> next_at() const;

private:
    struct Entry {
        Duration at;
        PollTask poll_task;
        bool operator>(const Entry& other) const { return at > other.at; }
    };
    void put(std::size_t order, Duration now, Duration interval);
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> poll_tasks_;
};

}  // namespace trackops::load
