#include "platform/kafka/publisher.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include "platform/kafka/client.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::bus {
namespace {

using std::chrono::steady_clock;

// The queue of a burst. A message that does not fit is unavailable at once, and counted.
constexpr std::string_view queued_kbytes_max = "65536";
constexpr std::string_view queued_messages_max = "100000";

constexpr Duration metadata_wait_max = std::chrono::seconds(1);

std::size_t size_of(const OutgoingMessage& message) {
    std::size_t size = message.key.size() + message.value.size();
    for (const Header& header : message.headers) size += header.name.size() + header.value.size();
    return size;
}

// Whether the message itself is invalid. A broker reports this error for a whole batch.
bool is_refusal(rd_kafka_resp_err_t error) {
    switch (error) {
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        case RD_KAFKA_RESP_ERR_INVALID_RECORD:
        case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
            return true;
        default:
            return false;
    }
}

class KafkaPublisher final : public Publisher {
public:
    KafkaPublisher(const KafkaTarget& target, telemetry::Registry& metrics)
        : target_(target),
          metrics_(metrics),
          seconds_(metrics.histogram("trackops_bus_publish_seconds",
                                     "From a burst to the answer of its last message")),
          queue_full_(metrics.counter("trackops_bus_queue_full_total",
                                      "Messages for which the producer's queue had no room")) {}

    std::vector<Delivery> publish(std::span<const OutgoingMessage> messages) override;

private:
    using Outcome = std::optional<rd_kafka_resp_err_t>;  // nothing until it is reported

    // Sends the messages with the indices `which` and waits for their reports until the deadline.
    void send(std::span<const OutgoingMessage> messages, std::span<const std::size_t> which);
    rd_kafka_resp_err_t enqueue(rd_kafka_t* producer, const OutgoingMessage& message,
                                Outcome& outcome);
    void wait_for_reports();
    void wait_for_metadata(const std::string& topic);
    void open_producer();
    void drop_failed_producer();
    Delivery answer(const OutgoingMessage& message, std::size_t index);
    static void report(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque);

    const KafkaTarget target_;
    std::set<std::string, std::less<>> known_topics_;  // whose metadata the producer has
    telemetry::Registry& metrics_;
    telemetry::Histogram& seconds_;
    telemetry::Counter& queue_full_;
    std::map<std::string, telemetry::Counter*, std::less<>> published_;    // by topic
    std::map<std::string, telemetry::Counter*, std::less<>> unavailable_;  // by reason

    std::vector<Outcome> outcomes_;  // one for each message of the burst
    std::size_t unreported_ = 0;
    steady_clock::time_point deadline_;
    std::unique_ptr<KafkaClient>
        producer_;  // last member, because its reports use the members above
};

std::vector<Delivery> KafkaPublisher::publish(std::span<const OutgoingMessage> messages) {
    if (messages.empty()) return {};
    if (unreported_ > 0) producer_.reset();  // the last burst ended in an exception
    const auto start = steady_clock::now();
    deadline_ = start + target_.options.answer_timeout;
    outcomes_.assign(messages.size(), {});
    std::vector<std::size_t> which;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (size_of(messages[i]) > target_.options.message_bytes_max) {
            outcomes_[i] = RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
        } else {
            which.push_back(i);
        }
    }
    send(messages, which);
    // A refused message of a batch is sent again alone: the broker refuses valid neighbours, too.
    for (const std::size_t i : which) {
        const bool was_alone = which.size() == 1;
        if (was_alone || !outcomes_[i] || !is_refusal(*outcomes_[i])) continue;
        outcomes_[i].reset();
        send(messages, {&i, 1});
    }
    std::vector<Delivery> answers;
    answers.reserve(messages.size());
    for (std::size_t i = 0; i < messages.size(); ++i) answers.push_back(answer(messages[i], i));
    drop_failed_producer();
    seconds_.observe(std::chrono::duration<double>(steady_clock::now() - start).count());
    return answers;
}

void KafkaPublisher::send(std::span<const OutgoingMessage> messages,
                          std::span<const std::size_t> which) {
    if (which.empty() || steady_clock::now() >= deadline_) return;
    if (!producer_) open_producer();
    for (const std::size_t i : which) {
        wait_for_metadata(messages[i].topic);
        const rd_kafka_resp_err_t error = enqueue(producer_->get(), messages[i], outcomes_[i]);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
            ++unreported_;
        } else {
            outcomes_[i] = error;
        }
    }
    wait_for_reports();
}

rd_kafka_resp_err_t KafkaPublisher::enqueue(rd_kafka_t* producer, const OutgoingMessage& message,
                                            Outcome& outcome) {
    const std::string topic = target_.prefix + message.topic;
    using Headers = std::unique_ptr<rd_kafka_headers_t, decltype(&rd_kafka_headers_destroy)>;
    Headers headers(rd_kafka_headers_new(message.headers.size()), &rd_kafka_headers_destroy);
    for (const auto& [name, value] : message.headers) {
        const rd_kafka_resp_err_t error =
            rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()),
                                value.data(), static_cast<ssize_t>(value.size()));
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
    }
    std::array<rd_kafka_vu_t, 6> parts{};
    parts[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    parts[0].u.cstr = topic.c_str();
    parts[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[1].u.i = RD_KAFKA_MSG_F_COPY;
    parts[2].vtype = RD_KAFKA_VTYPE_KEY;
    parts[2].u.mem.ptr = message.key.empty() ? nullptr : const_cast<char*>(message.key.data());
    parts[2].u.mem.size = message.key.size();
    parts[3].vtype = RD_KAFKA_VTYPE_VALUE;
    parts[3].u.mem.ptr = const_cast<char*>(message.value.data());
    parts[3].u.mem.size = message.value.size();
    parts[4].vtype = RD_KAFKA_VTYPE_OPAQUE;
    parts[4].u.ptr = &outcome;
    parts[5].vtype = RD_KAFKA_VTYPE_HEADERS;
    parts[5].u.headers = headers.get();
    rd_kafka_error_t* const refused = rd_kafka_produceva(producer, parts.data(), parts.size());
    if (refused == nullptr) {
        [[maybe_unused]] auto* const taken = headers.release();  // the message owns them now
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    const rd_kafka_resp_err_t error = rd_kafka_error_code(refused);
    rd_kafka_error_destroy(refused);
    return error;
}

void KafkaPublisher::wait_for_reports() {
    while (unreported_ > 0) {
        const auto left = deadline_ - steady_clock::now();
        if (left <= left.zero()) {
            producer_.reset();
            unreported_ = 0;
            return;
        }
        rd_kafka_poll(producer_->get(), kafka_ms(std::chrono::duration_cast<Duration>(left)));
    }
}

// Called within rd_kafka_poll().
void KafkaPublisher::report(rd_kafka_t* /*client*/, const rd_kafka_message_t* message,
                            void* opaque) {
    auto& self = *static_cast<KafkaPublisher*>(KafkaClient::owner_of(opaque));
    *static_cast<Outcome*>(message->_private) = message->err;
    --self.unreported_;
}

// librdkafka looks for new topics once a second, and the first message of a topic would wait for
// that. An error here shows in the report of the message.
void KafkaPublisher::wait_for_metadata(const std::string& topic) {
    if (!known_topics_.insert(topic).second) return;
    const std::string name = target_.prefix + topic;
    const std::unique_ptr<rd_kafka_topic_t, decltype(&rd_kafka_topic_destroy)> handle(
        rd_kafka_topic_new(producer_->get(), name.c_str(), nullptr), &rd_kafka_topic_destroy);
    const auto left = std::chrono::duration_cast<Duration>(deadline_ - steady_clock::now());
    if (!handle || left <= Duration::zero()) return;
    const rd_kafka_metadata_t* metadata = nullptr;
    rd_kafka_metadata(producer_->get(), 0, handle.get(), &metadata,
                      kafka_ms(std::min(left, metadata_wait_max)));
    if (metadata != nullptr) rd_kafka_metadata_destroy(metadata);
}

void KafkaPublisher::open_producer() {
    unreported_ = 0;
    known_topics_.clear();
    KafkaSettings settings = common_kafka_settings(target_);
    const auto add = [&settings](const char* name, std::string_view value) {
        settings.emplace_back(name, value);
    };
    add("enable.idempotence", "true");  // acks=all, order kept over retries, no double of a retry
    add("partitioner", "murmur2_random");  // as the embedded bus and Kafka's own client
    // A burst is queued at once, and messages that queue behind open requests form the next batch.
    add("linger.ms", "0");
    add("message.timeout.ms", fmt::to_string(kafka_ms(target_.options.answer_timeout)));
    add("topic.metadata.propagation.max.ms", "1000");  // then a topic counts as unknown
    add("message.max.bytes", fmt::to_string(topic_message_bytes_max(target_.options)));
    add("queue.buffering.max.kbytes", queued_kbytes_max);
    add("queue.buffering.max.messages", queued_messages_max);
    producer_ = std::make_unique<KafkaClient>(
        KafkaRole::producer, settings, metrics_, this,
        [](rd_kafka_conf_t* conf) { rd_kafka_conf_set_dr_msg_cb(conf, &KafkaPublisher::report); });
}

// In librdkafka an unknown or forbidden topic stays so for minutes, and a fatal error of
// idempotence for ever. A new producer asks the broker again.
void KafkaPublisher::drop_failed_producer() {
    for (const Outcome& outcome : outcomes_) {
        const rd_kafka_resp_err_t error = outcome.value_or(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR__QUEUE_FULL ||
            is_refusal(error)) {
            continue;
        }
        telemetry::log(telemetry::Level::warn, "bus",
                       "could not publish; the producer is made anew",
                       {{"error", rd_kafka_err2str(error)}});
        producer_.reset();
        return;
    }
}

Delivery KafkaPublisher::answer(const OutgoingMessage& message, std::size_t index) {
    const rd_kafka_resp_err_t error = outcomes_[index].value_or(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT);
    const auto count = [](auto& counters, const std::string& by, auto&& make) {
        telemetry::Counter*& counter = counters[by];
        if (counter == nullptr) counter = &make();
        counter->add();
    };
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        count(published_, message.topic, [&]() -> telemetry::Counter& {
            return metrics_.counter("trackops_bus_published_total",
                                    "Messages that the bus acknowledged",
                                    {{"topic", message.topic}});
        });
        return Delivery::acknowledged;
    }
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) queue_full_.add();
    if (is_refusal(error)) return Delivery::refused;
    const std::string reason = rd_kafka_err2name(error);
    count(unavailable_, reason, [&]() -> telemetry::Counter& {
        return metrics_.counter("trackops_bus_unavailable_total",
                                "Messages that were answered `unavailable`", {{"reason", reason}});
    });
    return Delivery::unavailable;
}

}  // namespace

std::unique_ptr<Publisher> make_kafka_publisher(const KafkaTarget& target,
                                                telemetry::Registry& metrics) {
    return std::make_unique<KafkaPublisher>(target, metrics);
}

}  // namespace trackops::bus
