// The bus: a partitioned, durable log of messages with consumer groups. Kafka is one, the embedded
// log another.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "platform/bus/message.hpp"

namespace trackops {
class Clock;
}
namespace trackops::telemetry {
class Registry;
}

namespace trackops::bus {

enum class Delivery : std::uint8_t {
    // The message is durable: it survives a crash of any process.
    acknowledged,
    // The message itself is invalid (too large, not encodable); the bus will never take it.
    refused,
    // The broker is away or timed out, the topic is unknown, or the right is missing. The message
    // may
    // have arrived nevertheless; the caller tries again.
    unavailable,
};

class Publisher {
public:
    virtual ~Publisher() = default;
    // Sends the messages as one burst and waits for their deliveries; returns one for each message,
    // in order. Within a call a message can overtake a failed one of its key, so a caller that must
    // keep the order of a key sends at most one message of it in a call. Not thread-safe: each
    // thread has its own publisher.
    virtual std::vector<Delivery> publish(std::span<const OutgoingMessage> messages) = 0;
};

// A member of a consumer group. One thread uses it; only wake() is thread-safe.
class Subscription {
public:
    virtual ~Subscription() = default;
    // Returns up to `max` messages behind those that this member has received, in order within each
    // partition. Waits up to `max_wait` for the first one. Messages that were received and not
    // committed come again after a restart or a rebalance.
    virtual std::vector<Message> poll(std::size_t max, Duration max_wait) = 0;
    // Records that the group has handled the partition up to and including `offset`. A crash may
    // lose the newest commits. Does nothing when a rebalance has moved the partition since poll()
    // returned that message, also when it has come back: it arrives again.
    virtual void commit(std::string_view topic, std::int32_t partition, std::int64_t offset) = 0;
    // While paused, poll() returns no message of that partition. A rebalance ends the pause.
    virtual void pause(std::string_view topic, std::int32_t partition, bool paused) = 0;
    // Ends a wait in poll() early: the present one, or else the next one. Thread-safe.
    virtual void wake() = 0;
};

struct TopicState {
    std::string topic;
    std::int64_t messages = 0;  // newest offset + 1 summed over partitions
    // Of the given group, on topics where it has committed or is subscribed through this Bus.
    std::int64_t lag = 0;
};

// Thread-safe. Outlives its publishers and subscriptions.
class Bus {
public:
    virtual ~Bus() = default;
    // Creates the missing topics and waits until they are usable; logs a warning for a topic with
    // too few partitions. Throws std::runtime_error that names the missing topics.
    virtual void ensure_topics(std::span<const std::string> topics) = 0;
    virtual std::unique_ptr<Publisher> publisher() = 0;
    virtual std::unique_ptr<Subscription> subscribe(std::string_view group,
                                                    std::span<const std::string> topics) = 0;
    // Makes a round trip to the store of the messages. Throws std::runtime_error when it does not
    // answer.
    virtual void ping() = 0;
    virtual std::vector<TopicState> state(std::string_view group) = 0;
};

struct Options {
    std::int32_t partitions = 3;                // of topics that the bus creates
    std::size_t message_bytes_max = 1'048'576;  // key, value and headers; a larger one is refused
    // The embedded log deletes older messages once every group has handled them. Kafka deletes them
    // in topics that the bus creates, handled or not.
    Duration retention = std::chrono::hours(24 * 7);
    // Kafka only, from here on.
    std::int32_t replication = -1;  // of topics that the bus creates; -1: the broker's default
    Duration answer_timeout =
        std::chrono::seconds(10);  // the limit of publish() and the other calls
    Duration session_timeout =
        std::chrono::seconds(10);  // after it a silent member leaves the group
    Duration poll_interval_max =
        std::chrono::seconds(60);  // after it so does one that does not poll
};

}  // namespace trackops::bus
