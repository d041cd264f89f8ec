// The messages that a consumer has received and not committed: which of them may be handled now
// without breaking the order of a key, and how far each partition is done. No I/O, no clock.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/backoff.hpp"
#include "platform/bus/message.hpp"

namespace trackops::bus {

// Messages with equal ordering keys are handled one after the other. A message without a key has no
// order, so its ordering key holds its offset.
struct OrderingKey {
    std::string topic;
    std::int32_t partition = 0;
    std::string key;
    std::int64_t offset = -1;
    auto operator<=>(const OrderingKey&) const = default;
};
OrderingKey ordering_key(const Message& message);

struct PartitionQueueLimits {
    // The uncommitted messages of a partition, and the bytes of those that wait for another try.
    // Beyond either the partition is paused.
    std::size_t slots_max = 1024;
    std::size_t held_bytes_max = 16 * 1024 * 1024;
    BackoffLimits backoff;  // of a held key
};

struct PartitionChanges {
    struct Done {
        std::string topic;
        std::int32_t partition = 0;
        std::int64_t offset = 0;  // every message up to here is done
    };
    struct Pause {
        std::string topic;
        std::int32_t partition = 0;
        bool paused = false;
    };
    std::vector<Done> done;
    std::vector<Pause> pauses;
};

class PartitionQueues {
public:
    explicit PartitionQueues(PartitionQueueLimits limits) : limits_(limits) {}

    // Moves held messages whose backoff is over to the batch, up to `max` messages in all.
    void take_due(Instant now, std::size_t max, std::vector<Message>& batch);
    // Moves fresh messages to the batch. A message whose key is held back queues behind the held
    // ones. record_outcomes() of the previous batch must come first.
    void add_fetched(std::vector<Message> fresh, std::vector<Message>& batch);
    // is_done[i] tells whether message i of the batch is done; the others are held for a backoff.
    // `chance` as in jittered_wait(). It is one for the whole batch, so that keys that failed
    // together come again in one batch.
    void record_outcomes(std::vector<Message> batch, const std::vector<bool>& is_done, Instant now,
                         double chance);
    // Returns the commits and pauses since the last call, for the subscription. While memory is
    // short, a partition is paused as soon as one of its messages is held.
    PartitionChanges changes(bool is_memory_short = false);

    std::size_t held() const { return held_; }
    std::size_t held_bytes() const { return held_bytes_; }
    // Returns the time until a held message is due; nothing when none is held.
    std::optional<Duration> until_due(Instant now) const;

private:
    struct Slot {
        std::int64_t offset = 0;
        bool is_done = false;
        std::optional<Message>
            held;  // empty while the handler has the message, and after it is done
    };
    struct HeldKey {
        std::size_t waiting = 0;  // held slots of the key
        bool has_failed = false;  // in the present batch
        std::int64_t failures = 0;
        Instant due;
    };
    // The messages of a partition, from the first one that is not done on.
    struct PartitionQueue {
        std::deque<Slot> slots;
        std::map<OrderingKey, HeldKey> holds;
        std::size_t held_bytes = 0;
        bool is_paused = false;
    };
    PartitionQueue& queue_of(const Message& message);
    bool is_due(const HeldKey& hold_back, Instant now) const;
    void hold_back(PartitionQueue& queue, Slot& slot, Message message);
    Message release(PartitionQueue& queue, Slot& slot);
    void forget_from(PartitionQueue& queue, std::int64_t offset);

    const PartitionQueueLimits limits_;
    std::map<std::pair<std::string, std::int32_t>, PartitionQueue> queues_;
    std::size_t held_ = 0;
    std::size_t held_bytes_ = 0;
};

}  // namespace trackops::bus
