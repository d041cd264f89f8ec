#include "platform/bus/lanes.hpp"

#include <algorithm>

namespace trackops::bus {

OrderKey order_key(const Message& message) {
    return {message.topic, message.partition, message.key,
            message.key.empty() ? message.offset : -1};
}

Lanes::Lane& Lanes::lane_of(const Message& message) {
    return lanes_[{message.topic, message.partition}];
}

// A clock that was set back must not hold anything for longer than a backoff.
bool Lanes::is_due(const Hold& hold, Instant now) const {
    return hold.due <= now || hold.due - now > limits_.backoff_max;
}

void Lanes::hold(Lane& lane, Slot& slot, Message message) {
    ++lane.holds[order_key(message)].waiting;
    ++held_;
    slot.held = std::move(message);
}

Message Lanes::release(Lane& lane, Slot& slot) {
    Message message = std::move(*slot.held);
    slot.held.reset();
    --lane.holds.at(order_key(message)).waiting;
    --held_;
    return message;
}

void Lanes::take_due(Instant now, std::size_t max, std::vector<Message>& batch) {
    struct Due {
        Instant at;
        Lane* lane = nullptr;
        Slot* slot = nullptr;
    };
    std::vector<Due> due;
    for (auto& [coordinates, lane] : lanes_) {
        const auto is_due_hold = [&](const auto& entry) { return is_due(entry.second, now); };
        if (std::ranges::none_of(lane.holds, is_due_hold)) continue;
        for (Slot& slot : lane.slots) {
            if (!slot.held) continue;
            const Hold& hold = lane.holds.at(order_key(*slot.held));
            if (is_due(hold, now)) due.push_back({hold.due, &lane, &slot});
        }
    }
    // Who has waited longest goes first, so that nobody who fails every time is always before the
    // others. Messages of a key are due together and stay in order.
    std::ranges::stable_sort(due, {}, &Due::at);
    for (const Due& one : due) {
        if (batch.size() >= max) return;
        batch.push_back(release(*one.lane, *one.slot));
    }
}

void Lanes::admit(std::vector<Message> fresh, std::vector<Message>& batch) {
    for (Message& message : fresh) {
        Lane& lane = lane_of(message);
        if (!lane.slots.empty() && message.offset <= lane.slots.back().offset) {
            forget_from(lane, message.offset);
        }
        lane.is_paused = false;  // or it would not have come: a rebalance has ended the pause
        Slot& slot = lane.slots.emplace_back(Slot{.offset = message.offset, .held = {}});
        if (lane.holds.contains(order_key(message))) {
            hold(lane, slot, std::move(message));
        } else {
            batch.push_back(std::move(message));
        }
    }
}

// They come again, after a rebalance.
void Lanes::forget_from(Lane& lane, std::int64_t offset) {
    while (!lane.slots.empty() && lane.slots.back().offset >= offset) {
        if (lane.slots.back().held) {
            const OrderKey key = order_key(release(lane, lane.slots.back()));
            if (lane.holds.at(key).waiting == 0) lane.holds.erase(key);
        }
        lane.slots.pop_back();
    }
}

void Lanes::settle(std::vector<Message> batch, const std::vector<bool>& is_done, Instant now) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
        Lane& lane = lane_of(batch[i]);
        const auto slot = std::ranges::lower_bound(lane.slots, batch[i].offset, {}, &Slot::offset);
        if (is_done[i]) {
            slot->is_done = true;
            continue;
        }
        lane.holds[order_key(batch[i])].has_failed = true;
        hold(lane, *slot, std::move(batch[i]));
    }
    for (auto& [coordinates, lane] : lanes_) {
        for (auto& [key, hold] : lane.holds) {
            if (!std::exchange(hold.has_failed, false)) continue;
            hold.backoff = std::clamp(hold.backoff * 2, limits_.backoff_min, limits_.backoff_max);
            hold.due = now + hold.backoff;
        }
        std::erase_if(lane.holds, [](const auto& entry) { return entry.second.waiting == 0; });
    }
}

LaneChanges Lanes::changes() {
    LaneChanges changes;
    for (auto& [coordinates, lane] : lanes_) {
        const auto& [topic, partition] = coordinates;
        std::optional<std::int64_t> done;
        for (; !lane.slots.empty() && lane.slots.front().is_done; lane.slots.pop_front()) {
            done = lane.slots.front().offset;
        }
        if (done) changes.done.push_back({topic, partition, *done});
        const bool is_full = lane.slots.size() >= limits_.slots_max;
        if (is_full != lane.is_paused) changes.pauses.push_back({topic, partition, is_full});
        lane.is_paused = is_full;
    }
    return changes;
}

std::optional<Duration> Lanes::until_due(Instant now) const {
    std::optional<Duration> soonest;
    for (const auto& [coordinates, lane] : lanes_) {
        for (const auto& [key, hold] : lane.holds) {
            const Duration left = is_due(hold, now) ? Duration::zero() : hold.due - now;
            soonest = std::min(soonest.value_or(left), left);
        }
    }
    return soonest;
}

}  // namespace trackops::bus
