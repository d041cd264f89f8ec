// What a consumer has taken and not committed: which messages may be handled now without breaking
// the order of a key, and how far each partition is done. No I/O, no clock.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/bus/message.hpp"

namespace trackops::bus {

// Messages of one order key are handled one after the other. A message without a key has no order:
// its offset sets it apart.
struct OrderingKey {
    std::string topic;
    std::int32_t partition = 0;
    std::string key;
    std::int64_t offset = -1;
    auto operator<=>(const OrderingKey&) const = default;
};
OrderingKey ordering_key(const Message& message);

struct PartitionQueueLimits {
    std::size_t slots_max = 1024;  // taken and not committed, of a partition; then it is paused
    Duration backoff_min;
    Duration backoff_max;
};

struct PartitionChanges {
    struct Done {
        std::string topic;
        std::int32_t partition = 0;
        std::int64_t offset = 0;  // everything up to here is done
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

    // Moves held messages whose backoff is over to the batch, until it has `max`.
    void take_due(Instant now, std::size_t max, std::vector<Message>& batch);
    // Moves fresh messages to the batch, or, when their key is held, behind those that are. What is
    // in a batch is settled first.
    void add_fetched(std::vector<Message> fresh, std::vector<Message>& batch);
    // is_done says of each message of the batch whether it is; the others are held for a backoff.
    void record_outcomes(std::vector<Message> batch, const std::vector<bool>& is_done, Instant now);
    // What to tell the subscription since it was last asked.
    PartitionChanges changes();

    std::size_t held() const { return held_; }
    // Until some held message is due; nothing when none is held.
    std::optional<Duration> until_due(Instant now) const;

private:
    struct Slot {
        std::int64_t offset = 0;
        bool is_done = false;
        std::optional<Message> held;  // empty while the handler has it, and when it is done
    };
    struct HeldKey {
        std::size_t waiting = 0;  // held slots of the key
        bool has_failed = false;  // in the batch that is being settled
        Duration backoff = Duration::zero();
        Instant due;
    };
    // A partition, from its first message that is not done on.
    struct PartitionQueue {
        std::deque<Slot> slots;
        std::map<OrderingKey, HeldKey> holds;
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
};

}  // namespace trackops::bus
