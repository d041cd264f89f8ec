// A partitioned, durable log of messages with consumer groups: Kafka, or the embedded one of a
// laptop.
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
    acknowledged,  // durable: it survives a crash of anything
    refused,      // the message itself is at fault (too large, cannot be encoded); it will never be
                  // taken
    unavailable,  // broker away, unknown topic, no authorisation, timed out: may have arrived all
                  // the same; try again
};

class Publisher {
public:
    virtual ~Publisher() = default;
    // Sends the messages as one burst and waits until each is answered, one answer each, in order.
    // Who must not let a message overtake a failed one of its key sends at most one message a key
    // in a call. Not thread-safe: one publisher a thread.
    virtual std::vector<Delivery> publish(std::span<const OutgoingMessage> messages) = 0;
};

// A member of a consumer group. Used by one thread, save wake().
class Subscription {
public:
    virtual ~Subscription() = default;
    // Up to `max` messages after those that this member was given before, in order within each
    // partition; waits up to max_wait for the first one. Messages that were given and not committed
    // come again after a restart or a rebalance.
    virtual std::vector<Message> poll(std::size_t max, Duration max_wait) = 0;
    // The group has handled the partition up to and including `offset`. A crash may forget the
    // newest commits, never invent one.
    virtual void commit(std::string_view topic, std::int32_t partition, std::int64_t offset) = 0;
    // While paused, poll() gives nothing of that partition. Ends with a rebalance.
    virtual void pause(std::string_view topic, std::int32_t partition, bool paused) = 0;
    // Ends a wait in poll() early, now or the next time that it would wait. Thread-safe.
    virtual void wake() = 0;
};

struct TopicState {
    std::string topic;
    std::int64_t messages = 0;  // newest offset + 1 summed over partitions
    std::int64_t lag = 0;  // of the group asked for, on topics that it has committed to or that it
                           // is subscribed to through this Bus
};

// Thread-safe. Outlives its publishers and subscriptions.
class Bus {
public:
    virtual ~Bus() = default;
    // Makes the topics that are missing and waits until they can be used; warns of one with fewer
    // partitions than it should have. Throws std::runtime_error naming what is missing.
    virtual void ensure_topics(std::span<const std::string> topics) = 0;
    virtual std::unique_ptr<Publisher> publisher() = 0;
    virtual std::unique_ptr<Subscription> subscribe(std::string_view group,
                                                    std::span<const std::string> topics) = 0;
    // A round trip to whatever keeps the messages; throws std::runtime_error when it does not
    // answer.
    virtual void ping() = 0;
    virtual std::vector<TopicState> state(std::string_view group) = 0;
};

struct Options {
    std::int32_t partitions = 3;                // of topics that are made
    std::size_t message_bytes_max = 1'048'576;  // key, value and headers; a larger one is refused
    // embedded: messages older than this that every group has handled are dropped; kafka: of topics
    // that are made, whether handled or not.
    Duration retention = std::chrono::hours(24 * 7);
    // The rest is for kafka only.
    std::int32_t replication = -1;  // of topics that are made; -1: as the broker has it
    Duration answer_timeout = std::chrono::seconds(10);   // publish() and all others answer by then
    Duration session_timeout = std::chrono::seconds(10);  // a silent member is thrown out
    Duration poll_interval_max = std::chrono::seconds(60);  // and one that does not poll
};

// embedded:DIR keeps the log in DIR (synced before it acknowledges, once a burst; a second process
// on the same DIR is refused with std::runtime_error). Throws std::invalid_argument naming what is
// wrong with the URL.
// kafka://HOST:PORT[,HOST:PORT...][?prefix=P&replication=N&partitions=N] connects when it is first
// needed. The prefix is of every topic and group on the broker, and nowhere else.
std::unique_ptr<Bus> open(std::string_view url, const Options& options, const Clock& clock,
                          telemetry::Registry& metrics);

}  // namespace trackops::bus
