#include "platform/bus/partition_queues.hpp"

#include <algorithm>

namespace trackops::bus {

OrderingKey ordering_key(const Message& message) {
    return {message.topic, message.partition, message.key,
            message.key.empty() ? message.offset : -1};
}

PartitionQueues::PartitionQueue& PartitionQueues::queue_of(const Message& message) {
    return queues_[{message.topic, message.partition}];
}

// A clock that is set back must not hold a message for longer than a backoff.
bool PartitionQueues::is_due(const HeldKey& hold_back, Instant now) const {
    return hold_back.due <= now || hold_back.due - now > limits_.backoff.longest;
}

void PartitionQueues::hold_back(PartitionQueue& queue, Slot& slot, Message message) {
    ++queue.holds[ordering_key(message)].waiting;
    ++held_;
    queue.held_bytes += message.bytes();
    held_bytes_ += message.bytes();
    slot.held = std::move(message);
}

Message PartitionQueues::release(PartitionQueue& queue, Slot& slot) {
    Message message = std::move(*slot.held);
    slot.held.reset();
    --queue.holds.at(ordering_key(message)).waiting;
    --held_;
    queue.held_bytes -= message.bytes();
    held_bytes_ -= message.bytes();
    return message;
}

void PartitionQueues::take_due(Instant now, std::size_t max, std::vector<Message>& batch) {
    struct Due {
        Instant at;
        PartitionQueue* queue = nullptr;
        Slot* slot = nullptr;
    };
    std::vector<Due> due;
    for (auto& [coordinates, queue] : queues_) {
        const auto is_due_hold = [&](const auto& entry) { return is_due(entry.second, now); };
        if (std::ranges::none_of(queue.holds, is_due_hold)) continue;
        for (Slot& slot : queue.slots) {
            if (!slot.held) continue;
            const HeldKey& hold_back = queue.holds.at(ordering_key(*slot.held));
            if (is_due(hold_back, now)) due.push_back({hold_back.due, &queue, &slot});
        }
    }
    // The longest wait goes first, so that a key that always fails is not always ahead of the
    // others. Messages of a key are due together and stay in order.
    std::ranges::stable_sort(due, {}, &Due::at);
    for (const Due& one : due) {
        if (batch.size() >= max) return;
        batch.push_back(release(*one.queue, *one.slot));
    }
}

void PartitionQueues::add_fetched(std::vector<Message> fresh, std::vector<Message>& batch) {
    for (Message& message : fresh) {
        PartitionQueue& queue = queue_of(message);
        if (!queue.slots.empty() && message.offset <= queue.slots.back().offset) {
            forget_from(queue, message.offset);
        }
        queue.is_paused = false;  // a rebalance has ended the pause, else no message would come
        Slot& slot = queue.slots.emplace_back(Slot{.offset = message.offset, .held = {}});
        if (queue.holds.contains(ordering_key(message))) {
            hold_back(queue, slot, std::move(message));
        } else {
            batch.push_back(std::move(message));
        }
    }
}

// Forgets the messages from `offset` on; they come again after a rebalance.
void PartitionQueues::forget_from(PartitionQueue& queue, std::int64_t offset) {
    while (!queue.slots.empty() && queue.slots.back().offset >= offset) {
        if (queue.slots.back().held) {
            const OrderingKey key = ordering_key(release(queue, queue.slots.back()));
            if (queue.holds.at(key).waiting == 0) queue.holds.erase(key);
        }
        queue.slots.pop_back();
    }
}

void PartitionQueues::record_outcomes(std::vector<Message> batch, const std::vector<bool>& is_done,
                                      Instant now, double chance) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
        PartitionQueue& queue = queue_of(batch[i]);
        const auto slot = std::ranges::lower_bound(queue.slots, batch[i].offset, {}, &Slot::offset);
        if (is_done[i]) {
            slot->is_done = true;
            continue;
        }
        queue.holds[ordering_key(batch[i])].has_failed = true;
        hold_back(queue, *slot, std::move(batch[i]));
    }
    for (auto& [coordinates, queue] : queues_) {
        for (auto& [key, hold_back] : queue.holds) {
            if (!std::exchange(hold_back.has_failed, false)) continue;
            hold_back.due = now + jittered_wait(limits_.backoff, ++hold_back.failures, chance);
        }
        std::erase_if(queue.holds, [](const auto& entry) { return entry.second.waiting == 0; });
    }
}

PartitionChanges PartitionQueues::changes(bool is_memory_short) {
    PartitionChanges changes;
    for (auto& [coordinates, queue] : queues_) {
        const auto& [topic, partition] = coordinates;
        std::optional<std::int64_t> done;
        for (; !queue.slots.empty() && queue.slots.front().is_done; queue.slots.pop_front()) {
            done = queue.slots.front().offset;
        }
        if (done) changes.done.push_back({topic, partition, *done});
        const std::size_t bytes_max = is_memory_short ? 1 : limits_.held_bytes_max;
        const bool is_full =
            queue.slots.size() >= limits_.slots_max || queue.held_bytes >= bytes_max;
        if (is_full != queue.is_paused) changes.pauses.push_back({topic, partition, is_full});
        queue.is_paused = is_full;
    }
    return changes;
}

std::optional<Duration> PartitionQueues::until_due(Instant now) const {
    std::optional<Duration> soonest;
    for (const auto& [coordinates, queue] : queues_) {
        for (const auto& [key, hold_back] : queue.holds) {
            const Duration left = is_due(hold_back, now) ? Duration::zero() : hold_back.due - now;
            soonest = std::min(soonest.value_or(left), left);
        }
    }
    return soonest;
}

}  // namespace trackops::bus
