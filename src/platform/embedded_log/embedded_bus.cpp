#include "platform/embedded_log/embedded_bus.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "platform/embedded_log/live_log.hpp"
#include "platform/embedded_log/message_store.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::bus {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t recent_bytes_max = 32 * 1024 * 1024;
constexpr Duration commit_delay_max = std::chrono::milliseconds(100);
constexpr Duration cleanup_every = std::chrono::minutes(1);
constexpr Duration cleanup_step_every = std::chrono::milliseconds(100);  // while there is more
constexpr std::int64_t cleanup_step = 1000;                              // messages
constexpr std::size_t topic_bytes_max = 249;                             // as Kafka

std::size_t size_of(const OutgoingMessage& message) {
    std::size_t size = message.key.size() + message.value.size();
    for (const Header& header : message.headers) size += header.name.size() + header.value.size();
    return size;
}

void require_topic_name(std::string_view topic) {
    const auto is_legal = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    };
    if (topic.empty() || topic.size() > topic_bytes_max || topic == "." || topic == ".." ||
        !std::ranges::all_of(topic, is_legal)) {
        throw std::invalid_argument(fmt::format("bus: '{}' is no topic name", topic));
    }
}

class EmbeddedBus final : public Bus {
public:
    EmbeddedBus(const std::string& folder, const Options& options, const Clock& clock,
                telemetry::Registry& metrics);
    ~EmbeddedBus() override;

    void ensure_topics(std::span<const std::string> topics) override;
    std::unique_ptr<Publisher> publisher() override;
    std::unique_ptr<Subscription> subscribe(std::string_view group,
                                            std::span<const std::string> topics) override;
    void ping() override { store_.ping(); }
    std::vector<TopicState> state(std::string_view group) override { return live_.state(group); }

    // Bursts that arrive during a write form the next write together.
    std::vector<Delivery> publish(std::span<const OutgoingMessage> messages);
    std::vector<Message> poll(LiveLog::Member& member, std::size_t max, Duration max_wait);
    // Does the work that is due: saves commits, deletes old messages.
    void tidy();
    void note_unsaved_commit();
    LiveLog& live() { return live_; }

private:
    struct Burst {
        std::span<const OutgoingMessage> messages;
        std::vector<Delivery> answers;
        bool written = false;
    };
    struct Taken {  // a message on its way to the disk
        LiveLog::Arrival arrival;
        Delivery* answer = nullptr;
    };
    // The registry keeps the callback for ever; the probe keeps it from a destroyed bus.
    struct LagProbe {
        std::mutex mutex;
        const LiveLog* live = nullptr;
    };

    void write(std::span<Burst* const> bursts);
    std::vector<Taken> number(std::span<Burst* const> bursts);
    void save_commits();
    void drop_old_messages();
    telemetry::Counter& published(const std::string& topic);

    const Options options_;
    const Clock& clock_;
    telemetry::Registry& metrics_;
    telemetry::Counter& failures_;
    MessageStore store_;
    LiveLog live_{recent_bytes_max};
    const std::shared_ptr<LagProbe> probe_ = std::make_shared<LagProbe>();

    std::mutex topics_mutex_;  // one ensure_topics() at a time

    std::mutex write_mutex_;
    std::condition_variable written_;
    std::vector<Burst*> waiting_;
    bool writing_ = false;
    // Only the writing thread uses these.
    bool ends_unknown_ = false;  // a write failed and may have happened nevertheless
    std::map<std::string, telemetry::Counter*> published_;

    // The time of the oldest commit that is not on disk; 0 when there is none.
    std::atomic<std::int64_t> unsaved_since_micros_ = 0;
    std::atomic<std::int64_t> cleanup_due_micros_;
};

class EmbeddedPublisher final : public Publisher {
public:
    explicit EmbeddedPublisher(EmbeddedBus& bus) : bus_(bus) {}
    std::vector<Delivery> publish(std::span<const OutgoingMessage> messages) override {
        std::vector<Delivery> answers = bus_.publish(messages);
        bus_.tidy();
        return answers;
    }

private:
    EmbeddedBus& bus_;
};

class EmbeddedSubscription final : public Subscription {
public:
    EmbeddedSubscription(EmbeddedBus& bus, LiveLog::Member& member,
                         telemetry::Counter& ignored_commits)
        : bus_(bus), member_(member), ignored_commits_(ignored_commits) {}
    ~EmbeddedSubscription() override { bus_.live().leave(member_); }

    std::vector<Message> poll(std::size_t max, Duration max_wait) override {
        return bus_.poll(member_, max, max_wait);
    }
    void commit(std::string_view topic, std::int32_t partition, std::int64_t offset) override {
        if (!bus_.live().commit(member_, topic, partition, offset + 1))
            return ignored_commits_.add();
        bus_.note_unsaved_commit();
        bus_.tidy();
    }
    void pause(std::string_view topic, std::int32_t partition, bool paused) override {
        bus_.live().pause(member_, topic, partition, paused);
    }
    void wake() override { bus_.live().wake(member_); }

private:
    EmbeddedBus& bus_;
    LiveLog::Member& member_;
    telemetry::Counter& ignored_commits_;
};

EmbeddedBus::EmbeddedBus(const std::string& folder, const Options& options, const Clock& clock,
                         telemetry::Registry& metrics)
    : options_(options),
      clock_(clock),
      metrics_(metrics),
      failures_(metrics.counter("trackops_bus_failures_total",
                                "Times that the embedded bus could not write to its disk")),
      store_(folder, metrics),
      cleanup_due_micros_((clock.now() + cleanup_every).micros) {
    if (options.partitions < 1)
        throw std::invalid_argument("bus: a topic has at least one partition");
    live_.add(store_.partitions());
    live_.restore(store_.commits());
    probe_->live = &live_;
    metrics.on_scrape([probe = probe_, &metrics] {
        const std::scoped_lock lock(probe->mutex);
        if (probe->live == nullptr) return;
        for (const auto& [group, lag] : probe->live->lag_by_group()) {
            metrics
                .gauge("trackops_bus_lag_messages", "Messages that a group has not handled",
                       {{"group", group}})
                .set(static_cast<double>(lag));
        }
    });
}

EmbeddedBus::~EmbeddedBus() {
    {
        const std::scoped_lock lock(probe_->mutex);
        probe_->live = nullptr;
    }
    save_commits();
}

void EmbeddedBus::ensure_topics(std::span<const std::string> topics) {
    const std::scoped_lock lock(topics_mutex_);
    bool added = false;
    for (const std::string& topic : topics) {
        if (live_.has_topic(topic)) continue;
        require_topic_name(topic);
        store_.add_topic(topic, options_.partitions);
        added = true;
    }
    if (added) live_.add(store_.partitions());
}

std::unique_ptr<Publisher> EmbeddedBus::publisher() {
    return std::make_unique<EmbeddedPublisher>(*this);
}

std::unique_ptr<Subscription> EmbeddedBus::subscribe(std::string_view group,
                                                     std::span<const std::string> topics) {
    if (group.empty()) throw std::invalid_argument("bus: a subscription needs the name of a group");
    LiveLog::Member& member = live_.join(group, topics);
    note_unsaved_commit();  // stores that the group exists, because retention waits for it
    return std::make_unique<EmbeddedSubscription>(
        *this, member,
        metrics_.counter("trackops_bus_ignored_commits_total",
                         "Commits of partitions that had moved on",
                         {{"group", std::string(group)}}));
}

std::vector<Delivery> EmbeddedBus::publish(std::span<const OutgoingMessage> messages) {
    Burst burst{messages, std::vector<Delivery>(messages.size(), Delivery::unavailable)};
    std::unique_lock lock(write_mutex_);
    waiting_.push_back(&burst);
    written_.wait(lock, [&] { return burst.written || !writing_; });
    if (burst.written) return std::move(burst.answers);
    writing_ = true;
    const std::vector<Burst*> bursts = std::exchange(waiting_, {});
    lock.unlock();
    write(bursts);
    lock.lock();
    writing_ = false;
    for (Burst* other : bursts) other->written = true;
    lock.unlock();
    written_.notify_all();
    return std::move(burst.answers);
}

// Never throws: other threads wait for the end of the write.
void EmbeddedBus::write(std::span<Burst* const> bursts) {
    std::vector<StoredCommit> commits;
    try {
        if (ends_unknown_) {
            live_.correct_ends(store_.partitions());
            ends_unknown_ = false;
        }
        const std::vector<Taken> taken = number(bursts);
        unsaved_since_micros_ = 0;
        commits = live_.take_unsaved_commits();
        if (taken.empty() && commits.empty()) return;
        std::vector<StoredMessage> rows;
        rows.reserve(taken.size());
        for (const Taken& one : taken)
            rows.push_back({one.arrival.partition_id, one.arrival.message.get()});
        ends_unknown_ = true;
        store_.append(rows, commits);
        ends_unknown_ = false;
        std::vector<LiveLog::Arrival> arrivals;
        arrivals.reserve(taken.size());
        for (const Taken& one : taken) {
            *one.answer = Delivery::acknowledged;
            arrivals.push_back(one.arrival);
        }
        live_.append(arrivals);
        for (const Taken& one : taken) published(one.arrival.message->topic).add();
    } catch (const std::exception& failure) {
        live_.put_back(commits);
        if (!commits.empty()) note_unsaved_commit();
        failures_.add();
        telemetry::log(telemetry::Level::error, "bus", "cannot write to the log",
                       {{"error", failure.what()}});
    }
}

// Gives each valid message its partition and offset; refuses a message that is too large.
std::vector<EmbeddedBus::Taken> EmbeddedBus::number(std::span<Burst* const> bursts) {
    const Instant now = clock_.now();
    std::map<std::int64_t, std::int64_t> next;  // by partition id
    std::vector<Taken> taken;
    for (Burst* burst : bursts) {
        for (std::size_t i = 0; i < burst->messages.size(); ++i) {
            const OutgoingMessage& out = burst->messages[i];
            if (size_of(out) > options_.message_bytes_max) {
                burst->answers[i] = Delivery::refused;
                continue;
            }
            const auto partition = live_.route(out.topic, out.key);
            if (!partition) continue;
            std::int64_t& offset = next.try_emplace(partition->id, partition->next).first->second;
            auto message = std::make_shared<const Message>(Message{
                out.topic, partition->number, offset++, out.key, out.value, out.headers, now});
            taken.push_back({{partition->id, std::move(message)}, &burst->answers[i]});
        }
    }
    return taken;
}

telemetry::Counter& EmbeddedBus::published(const std::string& topic) {
    telemetry::Counter*& counter = published_[topic];
    if (counter == nullptr) {
        counter = &metrics_.counter("trackops_bus_published_total",
                                    "Messages that the bus acknowledged", {{"topic", topic}});
    }
    return *counter;
}

void EmbeddedBus::save_commits() { publish({}); }

void EmbeddedBus::note_unsaved_commit() {
    std::int64_t none = 0;
    unsaved_since_micros_.compare_exchange_strong(none, clock_.now().micros);
}

void EmbeddedBus::tidy() {
    const std::int64_t now = clock_.now().micros;
    const std::int64_t since = unsaved_since_micros_;
    // After a clock was set back the age is unknown; saving is always safe.
    if (since != 0 && (now - since >= commit_delay_max.count() || now < since)) save_commits();
    std::int64_t due = cleanup_due_micros_;
    if (now >= due &&
        cleanup_due_micros_.compare_exchange_strong(due, now + cleanup_every.count())) {
        drop_old_messages();
    }
}

void EmbeddedBus::drop_old_messages() {
    try {
        const Instant now = clock_.now();
        const std::vector<DropLimit> limits = live_.droppable();
        if (limits.empty()) return;
        const Dropped dropped = store_.drop(limits, now - options_.retention, cleanup_step);
        live_.dropped(dropped.first);
        if (dropped.more) cleanup_due_micros_ = (now + cleanup_step_every).micros;
    } catch (const std::exception& failure) {
        failures_.add();
        telemetry::log(telemetry::Level::warn, "bus", "cannot drop old messages",
                       {{"error", failure.what()}});
    }
}

std::vector<Message> EmbeddedBus::poll(LiveLog::Member& member, std::size_t max,
                                       Duration max_wait) {
    tidy();
    const auto deadline = steady_clock::now() + max_wait;
    for (;;) {
        const LiveLog::FetchResult given = live_.take(member, max);
        std::vector<Message> messages;
        if (given.behind) {
            messages = store_.read(*given.behind, given.from, max);
            if (messages.empty()) {
                throw std::runtime_error(
                    fmt::format("bus: topic {} has lost messages from offset {} on",
                                given.behind->topic, given.from));
            }
            if (!live_.advance(member, given.behind->id, given.from, messages.back().offset + 1))
                continue;
            return messages;
        }
        messages.reserve(given.messages.size());
        for (const SharedMessage& message : given.messages) messages.push_back(*message);
        const auto left = std::chrono::duration_cast<Duration>(deadline - steady_clock::now());
        if (!messages.empty() || left <= Duration::zero()) return messages;
        const bool must_save = unsaved_since_micros_ != 0;
        const auto wait_end = steady_clock::now() + commit_delay_max;
        if (live_.wait(member, must_save ? std::min(left, commit_delay_max) : left)) return {};
        if (must_save && steady_clock::now() >= wait_end) save_commits();
    }
}

}  // namespace

std::unique_ptr<Bus> open_embedded(const std::string& folder, const Options& options,
                                   const Clock& clock, telemetry::Registry& metrics) {
    return std::make_unique<EmbeddedBus>(folder, options, clock, metrics);
}

}  // namespace trackops::bus
