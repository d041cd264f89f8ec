#include "platform/kafka/subscription.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include "platform/kafka/client.hpp"
#include "platform/kafka/leave.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::bus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using telemetry::Level;

// A commit costs the broker as much as a message, so commits are sent together.
constexpr Duration commit_every = milliseconds(100);
constexpr Duration leave_commit_wait_max = seconds(1);  // afterwards messages come again
constexpr Duration generation_wait = milliseconds(20);  // for the number from the broker
constexpr Duration lag_every = seconds(1);
constexpr std::size_t batch_bytes_max = 8 * 1024 * 1024;  // of a poll(), and one message
constexpr const char* prefetched_kbytes_max = "16384";

using Event = std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)>;

KafkaSettings settings_of(const KafkaTarget& target, std::string_view group) {
    KafkaSettings settings = common_kafka_settings(target);
    const auto add = [&settings](const char* name, std::string value) {
        settings.emplace_back(name, std::move(value));
    };
    const Duration session = target.options.session_timeout;
    add("group.id", fmt::format("{}{}", target.prefix, group));
    add("enable.auto.commit", "false");
    add("enable.auto.offset.store", "false");
    add("auto.offset.reset", "earliest");
    add("partition.assignment.strategy", "cooperative-sticky");
    add("session.timeout.ms", fmt::to_string(kafka_ms(session)));
    // A member learns of a rebalance with its next heartbeat, and a cooperative one has two rounds.
    add("heartbeat.interval.ms", fmt::to_string(kafka_ms(session / 20)));
    add("max.poll.interval.ms",
        fmt::to_string(kafka_ms(std::max(session, target.options.poll_interval_max))));
    add("topic.metadata.refresh.interval.ms", "2000");  // how late a topic made later is seen
    add("fetch.min.bytes", "1");
    // An open fetch delays partitions that are assigned, resumed or sought during it.
    add("fetch.wait.max.ms", "200");
    add("fetch.error.backoff.ms", "100");
    add("fetch.message.max.bytes", fmt::to_string(topic_message_bytes_max(target.options)));
    add("fetch.max.bytes",
        fmt::to_string(std::max(batch_bytes_max, topic_message_bytes_max(target.options))));
    add("queued.max.messages.kbytes", prefetched_kbytes_max);
    return settings;
}

std::string_view text(const void* bytes, std::size_t size) {
    return bytes == nullptr ? std::string_view()
                            : std::string_view(static_cast<const char*>(bytes), size);
}

// A null key or value reads as empty.
Message read(const rd_kafka_message_t& raw, std::string_view topic) {
    Message message{.topic = std::string(topic),
                    .partition = raw.partition,
                    .offset = raw.offset,
                    .key = std::string(text(raw.key, raw.key_len)),
                    .value = std::string(text(raw.payload, raw.len)),
                    .headers = {},
                    .timestamp = {}};
    rd_kafka_timestamp_type_t type{};
    message.timestamp = {std::max<std::int64_t>(rd_kafka_message_timestamp(&raw, &type), 0) * 1000};
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&raw, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return message;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
        message.headers.push_back({name, std::string(text(value, size))});
    }
    return message;
}

bool is_retryable(rd_kafka_resp_err_t error) {
    return error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
           error == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
}

class KafkaSubscription final : public Subscription {
public:
    KafkaSubscription(const KafkaTarget& target, std::string_view group,
                      std::span<const std::string> topics, SharedLag lag,
                      telemetry::Registry& metrics);
    ~KafkaSubscription() override;

    std::vector<Message> poll(std::size_t max, Duration max_wait) override;
    void commit(std::string_view topic, std::int32_t partition, std::int64_t offset) override;
    void pause(std::string_view topic, std::int32_t partition, bool paused) override;
    void wake() override;

private:
    // A partition that is assigned to this member. Each offset is that of the next message.
    struct Place {
        std::int64_t given = -1;      // since it was assigned
        std::int64_t done = -1;       // handled by the group
        std::int64_t committed = -1;  // sent to the broker
        bool is_paused = false;
    };
    using Coordinates = std::pair<std::string, std::int32_t>;

    // Appends the next message to gathered_, if one comes in time.
    bool take(Duration max_wait);
    void gather(std::size_t max);
    Place* place_of(std::string_view topic, std::int32_t partition);
    KafkaPartitions partition_list(std::string_view topic, std::int32_t partition) const;
    std::string_view without_prefix(const char* topic) const {
        return std::string_view(topic).substr(target_.prefix.size());
    }
    void set_paused(std::string_view topic, std::int32_t partition, bool paused);

    bool has_commits() const;
    void send_commits();
    void await_commits(Duration max_wait);
    void flush_commits(Duration max_wait);
    void commit_when_due();

    static void rebalance(rd_kafka_t* client, rd_kafka_resp_err_t what,
                          rd_kafka_topic_partition_list_t* partitions, void* opaque) noexcept;
    void assign(rd_kafka_topic_partition_list_t* partitions);
    void revoke(rd_kafka_topic_partition_list_t* partitions);
    void note_lag();
    void set_lag(std::int64_t lag);

    const KafkaTarget target_;
    const std::string group_;
    telemetry::Counter& ignored_commits_;
    telemetry::Counter& failed_commits_;
    telemetry::Counter& poll_errors_;
    telemetry::Counter& rebalances_;
    telemetry::Gauge& lag_gauge_;
    const SharedLag group_lag_;
    std::int64_t lag_ = 0;  // our share of it
    steady_clock::time_point lag_due_ = steady_clock::now();

    std::map<Coordinates, Place> places_;
    std::vector<Message> gathered_;  // by the poll() under way
    std::size_t gathered_bytes_ = 0;
    rd_kafka_resp_err_t commit_error_ = RD_KAFKA_RESP_ERR_NO_ERROR;  // of the last one
    bool is_committing_ = false;  // one commit at a time, so that no older one overtakes it
    steady_clock::time_point commit_due_ = steady_clock::now();
    std::atomic<bool> woken_ = false;
    std::unique_ptr<KafkaClient> client_;
    KafkaQueue queue_;    // what poll() waits on
    KafkaQueue commits_;  // answers to commits
};

KafkaSubscription::KafkaSubscription(const KafkaTarget& target, std::string_view group,
                                     std::span<const std::string> topics, SharedLag lag,
                                     telemetry::Registry& metrics)
    : target_(target),
      group_(group),
      ignored_commits_(metrics.counter("trackops_bus_ignored_commits_total",
                                       "Commits of partitions that had moved on",
                                       {{"group", group_}})),
      failed_commits_(metrics.counter("trackops_bus_failed_commits_total",
                                      "Commits to be sent again", {{"group", group_}})),
      poll_errors_(metrics.counter("trackops_bus_poll_errors_total",
                                   "Errors that came in place of messages", {{"group", group_}})),
      rebalances_(metrics.counter("trackops_bus_rebalances_total",
                                  "Times that partitions came or went", {{"group", group_}})),
      lag_gauge_(metrics.gauge("trackops_bus_lag_messages", "Messages that a group has not handled",
                               {{"group", group_}})),
      group_lag_(std::move(lag)),
      client_(std::make_unique<KafkaClient>(
          KafkaRole::consumer, settings_of(target, group), metrics, this,
          [](rd_kafka_conf_t* conf) {
              rd_kafka_conf_set_rebalance_cb(conf, &KafkaSubscription::rebalance);
          })),
      queue_(rd_kafka_queue_get_consumer(client_->get())),
      commits_(rd_kafka_queue_new(client_->get())) {
    rd_kafka_poll_set_consumer(client_->get());
    const KafkaPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
    for (const std::string& topic : topics) {
        rd_kafka_topic_partition_list_add(list.get(), (target_.prefix + topic).c_str(),
                                          RD_KAFKA_PARTITION_UA);
    }
    const rd_kafka_resp_err_t error = rd_kafka_subscribe(client_->get(), list.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        throw std::invalid_argument(
            fmt::format("bus: group {} cannot subscribe: {}", group_, rd_kafka_err2str(error)));
    }
}

KafkaSubscription::~KafkaSubscription() {
    flush_commits(leave_commit_wait_max);
    places_.clear();  // no second wait for failed commits
    set_lag(0);
    leave_group(client_->get(), [this](Duration max_wait) { return take(max_wait); }, group_);
    queue_.reset();
    commits_.reset();
}

std::vector<Message> KafkaSubscription::poll(std::size_t max, Duration max_wait) {
    const auto deadline = steady_clock::now() + max_wait;
    gathered_.clear();
    gathered_bytes_ = 0;
    gather(max);
    commit_when_due();
    while (gathered_.empty() && !woken_.exchange(false)) {
        const auto left = std::chrono::duration_cast<Duration>(deadline - steady_clock::now());
        if (left <= Duration::zero()) break;
        const bool may_commit = is_committing_ || has_commits();
        take(may_commit ? std::min(left, commit_every) : left);
        gather(max);
        commit_when_due();
    }
    note_lag();
    return std::exchange(gathered_, {});
}

void KafkaSubscription::gather(std::size_t max) {
    while (gathered_.size() < max && gathered_bytes_ < batch_bytes_max && take(Duration::zero())) {
    }
}

bool KafkaSubscription::take(Duration max_wait) {
    const std::unique_ptr<rd_kafka_message_t, decltype(&rd_kafka_message_destroy)> raw(
        rd_kafka_consumer_poll(client_->get(), kafka_ms(max_wait)), &rd_kafka_message_destroy);
    if (!raw) return false;
    if (raw->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        poll_errors_.add();
        telemetry::log(Level::warn, "bus", "the broker gave an error in place of messages",
                       {{"group", group_}, {"error", rd_kafka_message_errstr(raw.get())}});
        return true;
    }
    Message message = read(*raw, without_prefix(rd_kafka_topic_name(raw->rkt)));
    Place* const place = place_of(message.topic, message.partition);
    if (place == nullptr) return true;  // just revoked: another member receives it
    if (place->given < 0) place->done = place->committed = message.offset;
    place->given = std::max(place->given, message.offset + 1);
    gathered_bytes_ += raw->len + raw->key_len;
    gathered_.push_back(std::move(message));
    return true;
}

KafkaSubscription::Place* KafkaSubscription::place_of(std::string_view topic,
                                                      std::int32_t partition) {
    const auto found = places_.find(Coordinates(topic, partition));
    return found == places_.end() ? nullptr : &found->second;
}

KafkaPartitions KafkaSubscription::partition_list(std::string_view topic,
                                                  std::int32_t partition) const {
    KafkaPartitions list(rd_kafka_topic_partition_list_new(1));
    const std::string name = fmt::format("{}{}", target_.prefix, topic);
    rd_kafka_topic_partition_list_add(list.get(), name.c_str(), partition);
    return list;
}

void KafkaSubscription::commit(std::string_view topic, std::int32_t partition,
                               std::int64_t offset) {
    Place* const place = place_of(topic, partition);
    if (place == nullptr || offset >= place->given) {  // received before a rebalance
        ignored_commits_.add();
        telemetry::log(Level::info, "bus", "commit of a partition that has moved on",
                       {{"group", group_}, {"topic", std::string(topic)}});
        return;
    }
    place->done = std::max(place->done, offset + 1);
    commit_when_due();
}

bool KafkaSubscription::has_commits() const {
    return std::ranges::any_of(
        places_, [](const auto& entry) { return entry.second.done > entry.second.committed; });
}

void KafkaSubscription::commit_when_due() {
    if (is_committing_) await_commits(Duration::zero());
    if (!is_committing_ && steady_clock::now() >= commit_due_ && has_commits()) send_commits();
}

void KafkaSubscription::send_commits() {
    const KafkaPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(places_.size())));
    for (auto& [coordinates, place] : places_) {
        if (place.done <= place.committed) continue;
        const std::string name = target_.prefix + coordinates.first;
        rd_kafka_topic_partition_list_add(list.get(), name.c_str(), coordinates.second)->offset =
            place.done;
        place.committed = place.done;
    }
    commit_due_ = steady_clock::now() + commit_every;
    is_committing_ = rd_kafka_commit_queue(client_->get(), list.get(), commits_.get(), nullptr,
                                           nullptr) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

void KafkaSubscription::await_commits(Duration max_wait) {
    const Event answer(rd_kafka_queue_poll(commits_.get(), kafka_ms(max_wait)),
                       &rd_kafka_event_destroy);
    if (!answer) return;
    is_committing_ = false;
    commit_error_ = RD_KAFKA_RESP_ERR_NO_ERROR;
    const rd_kafka_resp_err_t error = rd_kafka_event_error(answer.get());
    const auto* const list = rd_kafka_event_topic_partition_list(answer.get());
    for (int i = 0; list != nullptr && i < list->cnt; ++i) {
        const rd_kafka_topic_partition_t& one = list->elems[i];
        const rd_kafka_resp_err_t why = one.err != RD_KAFKA_RESP_ERR_NO_ERROR ? one.err : error;
        if (why == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
        failed_commits_.add();
        commit_error_ = why;
        telemetry::log(Level::warn, "bus", "a commit failed and is sent again",
                       {{"group", group_},
                        {"topic", std::string(without_prefix(one.topic))},
                        {"error", rd_kafka_err2str(why)}});
        Place* const place = place_of(without_prefix(one.topic), one.partition);
        if (place != nullptr) place->committed = -1;
    }
}

// Commits before a partition is given up. A commit that is refused while the group changes its
// generation is sent again; one that is refused for another reason is dropped.
void KafkaSubscription::flush_commits(Duration max_wait) {
    const auto deadline = steady_clock::now() + max_wait;
    commit_error_ = RD_KAFKA_RESP_ERR_NO_ERROR;
    while (is_committing_ || has_commits()) {
        const auto left = std::chrono::duration_cast<Duration>(deadline - steady_clock::now());
        if (left <= Duration::zero() || !is_retryable(commit_error_)) {
            telemetry::log(Level::warn, "bus", "the newest commits are forgotten",
                           {{"group", group_}});
            return;
        }
        if (commit_error_ != RD_KAFKA_RESP_ERR_NO_ERROR) {
            std::this_thread::sleep_for(std::min(left, generation_wait));
        }
        if (!is_committing_) send_commits();
        await_commits(left);
    }
}

void KafkaSubscription::pause(std::string_view topic, std::int32_t partition, bool paused) {
    Place* const place = place_of(topic, partition);
    if (place == nullptr || place->is_paused == paused) return;
    place->is_paused = paused;
    set_paused(topic, partition, paused);
}

void KafkaSubscription::set_paused(std::string_view topic, std::int32_t partition, bool paused) {
    const KafkaPartitions list = partition_list(topic, partition);
    const rd_kafka_resp_err_t error = paused
                                          ? rd_kafka_pause_partitions(client_->get(), list.get())
                                          : rd_kafka_resume_partitions(client_->get(), list.get());
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && list->elems[0].err == error) return;
    poll_errors_.add();
    telemetry::log(Level::error, "bus", "cannot pause or resume a partition",
                   {{"group", group_}, {"topic", std::string(topic)}});
}

void KafkaSubscription::wake() {
    woken_ = true;
    rd_kafka_queue_yield(queue_.get());
}

// Called within rd_kafka_consumer_poll().
void KafkaSubscription::rebalance(rd_kafka_t* /*client*/, rd_kafka_resp_err_t what,
                                  rd_kafka_topic_partition_list_t* partitions,
                                  void* opaque) noexcept {
    auto& self = *static_cast<KafkaSubscription*>(KafkaClient::owner_of(opaque));
    self.rebalances_.add();
    if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        self.assign(partitions);
    } else {
        self.revoke(partitions);
    }
}

void KafkaSubscription::assign(rd_kafka_topic_partition_list_t* partitions) {
    for (int i = 0; i < partitions->cnt; ++i) {
        const rd_kafka_topic_partition_t& one = partitions->elems[i];
        places_.insert_or_assign(Coordinates(without_prefix(one.topic), one.partition), Place{});
    }
    rd_kafka_error_t* const error = rd_kafka_incremental_assign(client_->get(), partitions);
    if (error == nullptr) return;
    telemetry::log(Level::error, "bus", "cannot take partitions",
                   {{"group", group_}, {"error", rd_kafka_error_string(error)}});
    rd_kafka_error_destroy(error);
}

// Forgets the received and uncommitted messages of the partitions; the next owner receives them.
void KafkaSubscription::revoke(rd_kafka_topic_partition_list_t* partitions) {
    const bool is_lost = rd_kafka_assignment_lost(client_->get()) != 0;
    if (!is_lost) flush_commits(leave_commit_wait_max);
    for (int i = 0; i < partitions->cnt; ++i) {
        const Coordinates gone(without_prefix(partitions->elems[i].topic),
                               partitions->elems[i].partition);
        Place* const place = place_of(gone.first, gone.second);
        if (place != nullptr && place->is_paused) set_paused(gone.first, gone.second, false);
        places_.erase(gone);
        std::erase_if(gathered_, [&gone](const Message& message) {
            return message.topic == gone.first && message.partition == gone.second;
        });
    }
    rd_kafka_error_t* const error = rd_kafka_incremental_unassign(client_->get(), partitions);
    if (error == nullptr) return;
    telemetry::log(Level::error, "bus", "cannot give partitions up",
                   {{"group", group_}, {"error", rd_kafka_error_string(error)}});
    rd_kafka_error_destroy(error);
}

void KafkaSubscription::note_lag() {
    const auto now = steady_clock::now();
    if (now < lag_due_) return;
    lag_due_ = now + lag_every;
    std::int64_t lag = 0;
    for (const auto& [coordinates, place] : places_) {
        std::int64_t begin = 0;
        std::int64_t end = 0;
        const std::string name = target_.prefix + coordinates.first;
        const rd_kafka_resp_err_t error = rd_kafka_get_watermark_offsets(
            client_->get(), name.c_str(), coordinates.second, &begin, &end);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR || place.done < 0) continue;
        lag += std::max<std::int64_t>(end - place.done, 0);
    }
    set_lag(lag);
}

void KafkaSubscription::set_lag(std::int64_t lag) {
    *group_lag_ += lag - std::exchange(lag_, lag);
    lag_gauge_.set(static_cast<double>(*group_lag_));
}

}  // namespace

std::unique_ptr<Subscription> make_kafka_subscription(const KafkaTarget& target,
                                                      std::string_view group,
                                                      std::span<const std::string> topics,
                                                      SharedLag lag, telemetry::Registry& metrics) {
    return std::make_unique<KafkaSubscription>(target, group, topics, std::move(lag), metrics);
}

}  // namespace trackops::bus
