// One librdkafka client: made from settings, its log written as ours, destroyed with what it holds.
#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/instant.hpp"

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
    // `callbacks` sets them; they find `owner` with owner_of(). Throws std::invalid_argument naming
    // the setting that librdkafka does not take.
    KafkaClient(KafkaRole role, const KafkaSettings& settings, telemetry::Registry& metrics,
                void* owner = nullptr,
                const std::function<void(rd_kafka_conf_s*)>& callbacks = nullptr);
    KafkaClient(const KafkaClient&) = delete;
    KafkaClient& operator=(const KafkaClient&) = delete;
    // Drops what is still queued, without a report of it. Takes at most end_wait_max: a client that
    // librdkafka does not bring to its end by then is left behind, and said to be.
    ~KafkaClient();
    static constexpr Duration end_wait_max = std::chrono::seconds(15);

    rd_kafka_s* get() const { return client_; }
    // opaque: as librdkafka hands it to a callback.
    static void* owner_of(void* opaque) { return static_cast<Context*>(opaque)->owner; }
    // A line of its log that tells of an error. By any thread.
    static void count_error(void* opaque);

private:
    struct Context {
        void* owner;
        telemetry::Counter& errors;
        std::atomic<bool> is_abandoned = false;  // `errors` may be gone
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

// Settings that all clients of a broker have in common.
KafkaSettings common_kafka_settings(const std::string& servers);
// As librdkafka takes a wait: never less than asked for, zero only for zero.
int kafka_ms(Duration wait);

}  // namespace trackops::bus
