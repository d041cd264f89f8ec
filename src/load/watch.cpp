#include "load/watch.hpp"

#include <algorithm>

namespace trackops::load {

std::optional<Watch::Turn> Watch::take(Duration now) {
    if (turns_.empty() || turns_.top().at > now) return std::nullopt;
    const auto turn = turns_.top().turn;
    turns_.pop();
    return turn;
}

void Watch::again(Turn turn, Duration now) {
    put(turn.order, now, std::min(turn.interval * 3 / 2, poll_interval_max));
}

std::optional<Duration> Watch::next_at() const {
    if (turns_.empty()) return std::nullopt;
    return turns_.top().at;
}

void Watch::put(std::size_t order, Duration now, Duration interval) {
    turns_.push({now + interval, {order, interval}});
}

}  // namespace trackops::load
