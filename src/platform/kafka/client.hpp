// One librdkafka client. Its log lines go to our log.
#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/instant.hpp"
#include "platform/kafka/target.hpp"

struct rd_kafka_s;
struct rd_kafka_conf_s;
struct rd_kafka_queue_s;
struct rd_kafka_topic_partition_list_s;  // NOLINT(readability-identifier-naming)

namespace trackops::telemetry {
class Counter;
class Registry;
}  // namespace trackops::telemetry

namespace trackops::bus {

enum class KafkaRole : std::uint8_t { producer, consumer, control };

using KafkaSettings = std::vector<std::pair<const char*, std::string>>;

class KafkaClient {
public:
    // `callbacks` sets the callbacks of the configuration; a callback finds `owner` with
    // owner_of(). Throws std::invalid_argument that names a setting librdkafka does not accept.
    KafkaClient(KafkaRole role, const KafkaSettings& settings, telemetry::Registry& metrics,
                void* owner = nullptr,
                const std::function<void(rd_kafka_conf_s*)>& callbacks = nullptr);
    KafkaClient(const KafkaClient&) = delete;
    KafkaClient& operator=(const KafkaClient&) = delete;
    // Discards queued messages without a report. Takes at most end_wait_max; a client that
    // librdkafka has not ended by then is abandoned, and the log says so.
    ~KafkaClient();
    static constexpr Duration end_wait_max = std::chrono::seconds(15);

    rd_kafka_s* get() const { return client_; }
    // `opaque` is the pointer that librdkafka hands to a callback.
    static void* owner_of(void* opaque) { return static_cast<Context*>(opaque)->owner; }
    // Counts a log line of librdkafka that reports an error. Thread-safe.
    static void count_error(void* opaque);

private:
    struct Context {
        void* owner;
        telemetry::Counter& errors;
        std::atomic<bool> is_abandoned = false;  // then `errors` may be destroyed
    };
    std::unique_ptr<Context> context_;
    rd_kafka_s* client_ = nullptr;
};

struct DestroyKafka {
    void operator()(rd_kafka_queue_s* queue) const;
    void operator()(rd_kafka_topic_partition_list_s* list) const;
};
using KafkaQueue = std::unique_ptr<rd_kafka_queue_s, DestroyKafka>;
using KafkaPartitions = std::unique_ptr<rd_kafka_topic_partition_list_s, DestroyKafka>;

// The settings that all clients of a broker share. They may hold a password.
KafkaSettings common_kafka_settings(const KafkaTarget& target);
// Returns the wait in milliseconds for librdkafka: rounded up, zero only for zero.
int kafka_ms(Duration wait);

}  // namespace trackops::bus
