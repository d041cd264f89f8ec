#include "platform/kafka/topics.hpp"

#include <algorithm>
#include <array>
#include <expected>
#include <map>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <librdkafka/rdkafka.h>

#include "base/backoff.hpp"
#include "base/chance.hpp"
#include "platform/telemetry/log.hpp"

namespace trackops::bus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr Duration ping_wait_max = seconds(2);
constexpr Duration state_wait_max = seconds(5);
constexpr BackoffLimits retry_backoff{milliseconds(10), milliseconds(200)};

// The backoff between two tries of an operation that may succeed by itself, until a deadline.
class RetryDelay {
public:
    explicit RetryDelay(steady_clock::time_point deadline) : deadline_(deadline) {}
    // Returns false at once when the deadline would pass during the wait.
    bool wait() {
        const Duration wait = backoff_.failed(system_chance().draw());
        if (steady_clock::now() + wait >= deadline_) return false;
        std::this_thread::sleep_for(wait);
        return true;
    }

private:
    steady_clock::time_point deadline_;
    Backoff backoff_{retry_backoff};
};

int ms_left(steady_clock::time_point deadline) {
    return std::max(1,
                    kafka_ms(std::chrono::duration_cast<Duration>(deadline - steady_clock::now())));
}

using Event = std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)>;
using AdminOptions =
    std::unique_ptr<rd_kafka_AdminOptions_t, decltype(&rd_kafka_AdminOptions_destroy)>;

// The settings of a consumer that joins no group. It needs a group id: librdkafka 2.0 crashes on
// the answer "another coordinator" when the asking client has no group.
KafkaSettings settings_of(const KafkaTarget& target) {
    KafkaSettings settings = common_kafka_settings(target);
    settings.emplace_back("group.id", target.prefix + "control");
    settings.emplace_back("enable.auto.commit", "false");
    return settings;
}

AdminOptions admin_options(rd_kafka_t* client, rd_kafka_admin_op_t operation,
                           steady_clock::time_point deadline) {
    AdminOptions options(rd_kafka_AdminOptions_new(client, operation),
                         &rd_kafka_AdminOptions_destroy);
    std::array<char, 256> why{};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), ms_left(deadline), why.data(),
                                              why.size());
    return options;
}

[[noreturn]] void fail(const KafkaTarget& target, std::string_view what,
                       rd_kafka_resp_err_t error) {
    throw std::runtime_error(fmt::format("bus: kafka at {} does not answer ({}): {}",
                                         target.servers, what, rd_kafka_err2str(error)));
}

// Owns the topics that are handed to librdkafka.
struct NewTopics {
    std::vector<rd_kafka_NewTopic_t*> topics;
    NewTopics() = default;
    NewTopics(const NewTopics&) = delete;
    NewTopics& operator=(const NewTopics&) = delete;
    ~NewTopics() { rd_kafka_NewTopic_destroy_array(topics.data(), topics.size()); }
};

// Whether the coordinator of the group has just changed.
bool is_group_moving(rd_kafka_resp_err_t error) {
    return error == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS ||
           error == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
           error == RD_KAFKA_RESP_ERR_NOT_COORDINATOR;
}

std::expected<KafkaPartitions, rd_kafka_resp_err_t> ask_committed(
    rd_kafka_t* client, const std::string& group, steady_clock::time_point deadline) {
    using Request = std::unique_ptr<rd_kafka_ListConsumerGroupOffsets_t,
                                    decltype(&rd_kafka_ListConsumerGroupOffsets_destroy)>;
    const Request request(rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), nullptr),
                          &rd_kafka_ListConsumerGroupOffsets_destroy);
    std::array<rd_kafka_ListConsumerGroupOffsets_t*, 1> requests{request.get()};
    const KafkaQueue answers(rd_kafka_queue_new(client));
    const AdminOptions how =
        admin_options(client, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, deadline);
    rd_kafka_ListConsumerGroupOffsets(client, requests.data(), requests.size(), how.get(),
                                      answers.get());
    const Event answer(rd_kafka_queue_poll(answers.get(), ms_left(deadline)),
                       &rd_kafka_event_destroy);
    if (!answer) return std::unexpected(RD_KAFKA_RESP_ERR__TIMED_OUT);
    const rd_kafka_resp_err_t error = rd_kafka_event_error(answer.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return std::unexpected(error);
    std::size_t count = 0;
    const auto* const groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(answer.get()), &count);
    const rd_kafka_error_t* const group_error = rd_kafka_group_result_error(groups[0]);
    if (group_error != nullptr) return std::unexpected(rd_kafka_error_code(group_error));
    return KafkaPartitions(
        rd_kafka_topic_partition_list_copy(rd_kafka_group_result_partitions(groups[0])));
}

bool is_transient(rd_kafka_resp_err_t error) {
    switch (error) {
        case RD_KAFKA_RESP_ERR_NO_ERROR:
        case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
        case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
        case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
        case RD_KAFKA_RESP_ERR__TIMED_OUT:
        case RD_KAFKA_RESP_ERR__TRANSPORT:
            return true;
        default:
            return false;
    }
}

}  // namespace

KafkaTopics::KafkaTopics(const KafkaTarget& target, telemetry::Registry& metrics)
    : target_(target), client_(KafkaRole::control, settings_of(target), metrics) {}

void KafkaTopics::ping() {
    const rd_kafka_metadata_t* found = nullptr;
    const rd_kafka_resp_err_t error =
        rd_kafka_metadata(client_.get(), 0, nullptr, &found,
                          kafka_ms(std::min(ping_wait_max, target_.options.answer_timeout)));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(target_, "ping", error);
    rd_kafka_metadata_destroy(found);
}

// Lists all topics: a request by name would create the topic on a broker with auto creation.
std::vector<KafkaTopics::Topic> KafkaTopics::list(Deadline deadline, std::string_view why) {
    const rd_kafka_metadata_t* raw = nullptr;
    const rd_kafka_resp_err_t error =
        rd_kafka_metadata(client_.get(), 1, nullptr, &raw, ms_left(deadline));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(target_, why, error);
    const std::unique_ptr<const rd_kafka_metadata_t, decltype(&rd_kafka_metadata_destroy)> found(
        raw, &rd_kafka_metadata_destroy);
    std::vector<Topic> topics;
    for (const auto& topic : std::span(found->topics, static_cast<std::size_t>(found->topic_cnt))) {
        const std::string_view name = topic.topic;
        if (!name.starts_with(target_.prefix) || name.starts_with("__")) continue;
        const std::span partitions(topic.partitions, static_cast<std::size_t>(topic.partition_cnt));
        topics.push_back(
            {std::string(name.substr(target_.prefix.size())), topic.partition_cnt,
             !partitions.empty() &&
                 std::ranges::all_of(partitions, [](const auto& one) { return one.leader >= 0; })});
    }
    return topics;
}

void KafkaTopics::ensure(std::span<const std::string> topics) {
    const auto deadline = steady_clock::now() + target_.options.answer_timeout;
    RetryDelay retry_delay(deadline);
    for (;;) {
        std::vector<std::string> missing;
        bool are_ready = true;
        const std::vector<Topic> found =
            list(deadline, fmt::format("to be asked for {}", fmt::join(topics, ", ")));
        for (const std::string& name : topics) {
            const auto topic = std::ranges::find(found, name, &Topic::name);
            if (topic == found.end()) {
                missing.push_back(name);
            } else {
                are_ready = are_ready && topic->is_ready;
                if (topic->is_ready) warn_of_few_partitions(*topic);
            }
        }
        if (missing.empty() && are_ready) return;
        const std::string why = missing.empty() ? "" : create(missing, deadline);
        // Brokers learn of a new topic one after the other.
        if (!why.empty() || !retry_delay.wait()) {
            throw std::runtime_error(fmt::format(
                "bus: kafka at {} lacks {}: {}", target_.servers,
                fmt::join(missing.empty() ? std::vector(topics.begin(), topics.end()) : missing,
                          ", "),
                why.empty() ? "not usable in time" : why));
        }
    }
}

void KafkaTopics::warn_of_few_partitions(const Topic& topic) {
    if (topic.partitions >= target_.options.partitions) return;
    const std::scoped_lock lock(warned_mutex_);
    if (!warned_.insert(topic.name).second) return;
    telemetry::log(telemetry::Level::warn, "bus", "a topic has fewer partitions than are set",
                   {{"topic", topic.name},
                    {"partitions", fmt::to_string(topic.partitions)},
                    {"set", fmt::to_string(target_.options.partitions)}});
}

std::string KafkaTopics::create(std::span<const std::string> topics, Deadline deadline) {
    const Options& options = target_.options;
    const auto retention = std::chrono::duration_cast<milliseconds>(options.retention).count();
    NewTopics made;
    for (const std::string& topic : topics) {
        std::array<char, 256> why{};
        const std::string name = target_.prefix + topic;
        rd_kafka_NewTopic_t* const one = rd_kafka_NewTopic_new(
            name.c_str(), options.partitions, options.replication, why.data(), why.size());
        if (one == nullptr) return fmt::format("{}: {}", topic, why.data());
        made.topics.push_back(one);
        rd_kafka_NewTopic_set_config(one, "message.timestamp.type", "LogAppendTime");
        rd_kafka_NewTopic_set_config(one, "retention.ms", fmt::to_string(retention).c_str());
        rd_kafka_NewTopic_set_config(one, "max.message.bytes",
                                     fmt::to_string(topic_message_bytes_max(options)).c_str());
    }
    const KafkaQueue answers(rd_kafka_queue_new(client_.get()));
    const AdminOptions how = admin_options(client_.get(), RD_KAFKA_ADMIN_OP_CREATETOPICS, deadline);
    rd_kafka_CreateTopics(client_.get(), made.topics.data(), made.topics.size(), how.get(),
                          answers.get());
    const Event answer(rd_kafka_queue_poll(answers.get(), ms_left(deadline)),
                       &rd_kafka_event_destroy);
    if (!answer) return "no answer in time";
    const rd_kafka_resp_err_t error = rd_kafka_event_error(answer.get());
    if (!is_transient(error)) return rd_kafka_event_error_string(answer.get());
    const auto* const result = rd_kafka_event_CreateTopics_result(answer.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR || result == nullptr) return "";
    std::size_t count = 0;
    const auto* const each = rd_kafka_CreateTopics_result_topics(result, &count);
    for (const rd_kafka_topic_result_t* one : std::span(each, count)) {
        if (is_transient(rd_kafka_topic_result_error(one))) continue;
        const char* const text = rd_kafka_topic_result_error_string(one);
        return text != nullptr ? text : rd_kafka_err2str(rd_kafka_topic_result_error(one));
    }
    return "";
}

KafkaPartitions KafkaTopics::committed(std::string_view group, Deadline deadline) {
    const std::string name = fmt::format("{}{}", target_.prefix, group);
    RetryDelay retry_delay(deadline);
    for (;;) {
        auto answer = ask_committed(client_.get(), name, deadline);
        if (answer) return std::move(*answer);
        if (!is_group_moving(answer.error()) || !retry_delay.wait()) {
            fail(target_, "offsets of a group", answer.error());
        }
    }
}

// `at` is RD_KAFKA_OFFSET_BEGINNING or RD_KAFKA_OFFSET_END, which the protocol takes in place of a
// time.
KafkaPartitions KafkaTopics::offsets(std::span<const Topic> topics, std::int64_t at,
                                     Deadline deadline) {
    KafkaPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
    for (const Topic& topic : topics) {
        const std::string name = target_.prefix + topic.name;
        for (std::int32_t i = 0; i < topic.partitions; ++i) {
            rd_kafka_topic_partition_list_add(list.get(), name.c_str(), i)->offset = at;
        }
    }
    // A broker may become the leader of a new partition a moment after all brokers know the topic.
    const KafkaPartitions asked(rd_kafka_topic_partition_list_copy(list.get()));
    RetryDelay retry_delay(deadline);
    while (list->cnt > 0) {
        rd_kafka_resp_err_t error =
            rd_kafka_offsets_for_times(client_.get(), list.get(), ms_left(deadline));
        for (const auto& one : std::span(list->elems, static_cast<std::size_t>(list->cnt))) {
            if (error == RD_KAFKA_RESP_ERR_NO_ERROR) error = one.err;
        }
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
        if (!retry_delay.wait()) fail(target_, "offsets of topics", error);
        list.reset(rd_kafka_topic_partition_list_copy(asked.get()));
    }
    return list;
}

std::vector<TopicState> KafkaTopics::state(std::string_view group,
                                           const std::set<std::string>& subscribed) {
    const auto deadline =
        steady_clock::now() + std::min(state_wait_max, target_.options.answer_timeout);
    const std::vector<Topic> topics = list(deadline, "state of topics");
    const KafkaPartitions begins = offsets(topics, RD_KAFKA_OFFSET_BEGINNING, deadline);
    const KafkaPartitions ends = offsets(topics, RD_KAFKA_OFFSET_END, deadline);
    const KafkaPartitions handled = committed(group, deadline);
    const auto offset_in = [this](const KafkaPartitions& in, const Topic& topic, std::int32_t i) {
        const std::string name = target_.prefix + topic.name;
        const auto* const found = rd_kafka_topic_partition_list_find(in.get(), name.c_str(), i);
        return found == nullptr ? RD_KAFKA_OFFSET_INVALID : found->offset;
    };
    std::vector<TopicState> states;
    for (const Topic& topic : topics) {
        TopicState& state = states.emplace_back(TopicState{topic.name});
        bool is_consumed = subscribed.contains(topic.name);
        for (std::int32_t i = 0; i < topic.partitions; ++i) {
            is_consumed = is_consumed || offset_in(handled, topic, i) >= 0;
        }
        for (std::int32_t i = 0; i < topic.partitions; ++i) {
            const std::int64_t end = std::max<std::int64_t>(offset_in(ends, topic, i), 0);
            state.messages += end;
            const std::int64_t from = std::max(
                {offset_in(handled, topic, i), offset_in(begins, topic, i), std::int64_t{0}});
            if (is_consumed) state.lag += std::max<std::int64_t>(end - from, 0);
        }
    }
    return states;
}

}  // namespace trackops::bus
