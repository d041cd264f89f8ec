#include "load/outcome_poller.hpp"

#include <algorithm>

namespace trackops::load {

std::optional<OutcomePoller::PollTask> OutcomePoller::take(Duration now) {
    if (poll_tasks_.empty() || poll_tasks_.top().at > now) return std::nullopt;
    const auto poll_task = poll_tasks_.top().poll_task;
    poll_tasks_.pop();
    return poll_task;
}

void OutcomePoller::reschedule(PollTask poll_task, Duration now) {
    put(poll_task.order, now, std::min(poll_task.interval * 3 / 2, poll_interval_max));
}

std::optional<Duration> OutcomePoller::next_at() const {
    if (poll_tasks_.empty()) return std::nullopt;
    return poll_tasks_.top().at;
}

void OutcomePoller::put(std::size_t order, Duration now, Duration interval) {
    poll_tasks_.push({now + interval, {order, interval}});
}

}  // namespace trackops::load
