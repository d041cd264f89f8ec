#include "platform/bus/consumer.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "platform/bus/consume_spans.hpp"
#include "platform/bus/partition_queues.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/log_gate.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::bus {
namespace {

using telemetry::Level;

constexpr std::size_t partition_batches_max = 4;  // uncommitted batches of a partition
constexpr std::size_t reason_bytes_max = 1024;    // in the header of a dead letter

// Returns the span that sent the message; an invalid one if it names none.
telemetry::SpanContext span_of(const Message& message) {
    const auto sender = telemetry::parse_traceparent(message.header("traceparent"));
    return sender.value_or(telemetry::SpanContext());
}

class SteadyClock final : public Clock {
public:
    Instant now() const override {
        const auto since_boot = std::chrono::steady_clock::now().time_since_epoch();
        return {std::chrono::duration_cast<Duration>(since_boot).count()};
    }
};
const SteadyClock steady_clock;

OutgoingMessage dead_letter(const Message& message, std::string_view reason,
                            const std::string& group) {
    OutgoingMessage letter{message.topic + ".DLT", message.key, message.value, message.headers};
    letter.headers.push_back({"dlt-topic", message.topic});
    letter.headers.push_back({"dlt-partition", fmt::to_string(message.partition)});
    letter.headers.push_back({"dlt-offset", fmt::to_string(message.offset)});
    letter.headers.push_back({"dlt-reason", std::string(reason.substr(0, reason_bytes_max))});
    letter.headers.push_back({"dlt-group", group});
    return letter;
}

// The dead letter of a message that is too large together with our headers: its coordinates without
// its body.
OutgoingMessage without_body(OutgoingMessage letter) {
    letter.headers.erase(letter.headers.begin(), letter.headers.end() - 5);
    letter.headers.push_back({"dlt-content", "left out: too large; read it at its offset"});
    return {std::move(letter.topic), {}, {}, std::move(letter.headers)};
}

// A later message of a key does not count as handled while an earlier one must come again.
void hold_successors(std::span<const Message> batch, std::vector<Disposition>& dispositions) {
    std::set<OrderingKey> held;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const bool is_held = std::holds_alternative<RetryLater>(dispositions[i]);
        if (!is_held && held.empty()) continue;
        OrderingKey key = ordering_key(batch[i]);
        if (is_held) {
            held.insert(std::move(key));
        } else if (held.contains(key)) {
            dispositions[i] = RetryLater{"behind another of its key"};
        }
    }
}

}  // namespace

struct Consumer::State {
    State(Bus& its_bus, ConsumerOptions its_options, Handler its_handler,
          telemetry::Registry& registry);

    runtime::Progress run(Duration max_wait);
    std::vector<Disposition> handle(std::span<const Message> batch);
    void bury(std::span<const Message> batch, std::vector<Disposition>& dispositions);
    std::vector<Delivery> publish_dead_letters(std::vector<OutgoingMessage> letters);
    std::size_t record_outcomes(std::vector<Message> batch,
                                const std::vector<Disposition>& dispositions);
    void tell_subscription();
    bool is_memory_short() const;
    void count_bytes(std::span<const Message> batch);
    void count_done(const std::string& topic);
    void report_dead_letter(const Message& message, std::string_view reason);
    void report_retry(const Message& message, std::string_view reason);

    Bus& bus;
    const ConsumerOptions options;
    const Handler handler;
    const Clock& clock;
    telemetry::Registry& metrics;
    telemetry::Counter& retries;
    telemetry::Counter& failures;
    telemetry::Counter& dead_letters;
    telemetry::Gauge& held;
    std::map<std::string, telemetry::Counter*> consumed;  // by topic
    std::unique_ptr<Publisher> publisher;
    std::unique_ptr<Subscription> subscription;
    PartitionQueues partition_queues;
    // An exception halves the limit, a batch without one doubles it. So a failing message ends up
    // alone and holds back only its key.
    std::size_t batch_limit;
    runtime::Share share;         // of the batch and the held messages
    bool failed_retries = false;  // the next batch takes fresh messages
    Backoff quiet;                // of the whole consumer
    telemetry::LogGate log_gate;
};

Consumer::State::State(Bus& its_bus, ConsumerOptions its_options, Handler its_handler,
                       telemetry::Registry& registry)
    : bus(its_bus),
      options(std::move(its_options)),
      handler(std::move(its_handler)),
      clock(options.clock == nullptr ? steady_clock : *options.clock),
      metrics(registry),
      retries(registry.counter("trackops_bus_retries_total", "Messages to be given again",
                               {{"group", options.group}})),
      failures(registry.counter("trackops_bus_handler_failures_total",
                                "Batches that ended in an exception", {{"group", options.group}})),
      dead_letters(registry.counter("trackops_bus_dead_letters_total",
                                    "Messages put aside for ever", {{"group", options.group}})),
      held(registry.gauge("trackops_bus_held_messages", "Messages that wait for another try",
                          {{"group", options.group}})),
      publisher(bus.publisher()),
      subscription(bus.subscribe(options.group, options.topics)),
      partition_queues(
          {.slots_max = options.batch_max * partition_batches_max, .backoff = options.backoff}),
      batch_limit(options.batch_max),
      share(options.budget, runtime::Spending::messages),
      quiet(options.backoff) {}

runtime::Progress Consumer::State::run(Duration max_wait) {
    const Instant now = clock.now();
    std::vector<Message> batch;
    if (!std::exchange(failed_retries, false)) partition_queues.take_due(now, batch_limit, batch);
    const bool is_fresh = batch.empty();
    if (is_fresh) {
        const Duration wait =
            std::min(max_wait, partition_queues.until_due(now).value_or(max_wait));
        const std::size_t fetched_max = is_memory_short() ? 1 : batch_limit;
        partition_queues.add_fetched(subscription->poll(fetched_max, wait), batch);
    }
    count_bytes(batch);
    if (batch.empty()) {
        tell_subscription();
        // A caller that waits in poll() comes back at once, one that cannot wait when work is due.
        const bool has_waited = max_wait > Duration::zero();
        return {0, has_waited ? Duration::zero()
                              : partition_queues.until_due(now).value_or(Duration::zero())};
    }
    ConsumeSpans spans(options.tracer, options.group, batch);
    std::vector<Disposition> dispositions = handle(batch);
    const bool is_mismatch = dispositions.size() != batch.size();
    if (is_mismatch) dispositions.assign(batch.size(), RetryLater{"no disposition"});
    hold_successors(batch, dispositions);
    spans.end(dispositions);
    bury(batch, dispositions);
    const std::size_t done = record_outcomes(std::move(batch), dispositions);
    count_bytes({});
    tell_subscription();
    failed_retries = done == 0 && !is_fresh;
    if (is_mismatch) {
        throw std::logic_error(fmt::format(
            "consumer {}: the handler gave another number of dispositions than it got messages",
            options.group));
    }
    if (done > 0 || !is_fresh) {
        quiet.succeeded();
        return {done, Duration::zero()};
    }
    // No fresh message could be handled, so the fault is not that of a key: the consumer backs off.
    return {0, quiet.failed(options.chance->draw())};
}

std::vector<Disposition> Consumer::State::handle(std::span<const Message> batch) {
    try {
        auto dispositions = handler(batch);
        batch_limit = std::min(batch_limit * 2, options.batch_max);
        return dispositions;
    } catch (const std::exception& failure) {
        failures.add();
        batch_limit = std::max<std::size_t>(batch.size() / 2, 1);
        telemetry::log(Level::error, "bus", "a handler failed; its messages are given again",
                       {{"group", options.group},
                        {"topic", batch.front().topic},
                        {"messages", fmt::to_string(batch.size())},
                        {"error", failure.what()}});
        return std::vector<Disposition>(batch.size(), RetryLater{failure.what()});
    }
}

// Publishes the dead letters. A message whose dead letter the bus does not acknowledge comes again.
void Consumer::State::bury(std::span<const Message> batch, std::vector<Disposition>& dispositions) {
    std::vector<std::size_t> at;
    std::vector<OutgoingMessage> letters;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto* dead = std::get_if<DeadLetter>(&dispositions[i]);
        if (dead == nullptr) continue;
        at.push_back(i);
        letters.push_back(dead_letter(batch[i], dead->reason, options.group));
    }
    if (letters.empty()) return;
    const std::vector<Delivery> answers = publish_dead_letters(std::move(letters));
    for (std::size_t k = 0; k < at.size(); ++k) {
        const Message& message = batch[at[k]];
        Disposition& disposition = dispositions[at[k]];
        if (answers[k] == Delivery::acknowledged) {
            dead_letters.add();
            report_dead_letter(message, std::get<DeadLetter>(disposition).reason);
        } else {
            disposition = RetryLater{"its dead letter was not acknowledged"};
        }
    }
    hold_successors(batch, dispositions);
}

std::vector<Delivery> Consumer::State::publish_dead_letters(std::vector<OutgoingMessage> letters) {
    try {
        std::set<std::string> topics;
        for (const OutgoingMessage& letter : letters) topics.insert(letter.topic);
        bus.ensure_topics(std::vector<std::string>(topics.begin(), topics.end()));
        std::vector<Delivery> answers = publisher->publish(letters);
        for (std::size_t i = 0; i < letters.size(); ++i) {
            if (answers[i] != Delivery::refused) continue;
            const OutgoingMessage small = without_body(std::move(letters[i]));
            answers[i] = publisher->publish({&small, 1}).front();
        }
        return answers;
    } catch (const std::exception& failure) {
        telemetry::log(Level::error, "bus", "cannot publish dead letters",
                       {{"group", options.group}, {"error", failure.what()}});
        return std::vector<Delivery>(letters.size(), Delivery::unavailable);
    }
}

std::size_t Consumer::State::record_outcomes(std::vector<Message> batch,
                                             const std::vector<Disposition>& dispositions) {
    std::vector<bool> is_done;
    std::size_t done = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto* again = std::get_if<RetryLater>(&dispositions[i]);
        is_done.push_back(again == nullptr);
        if (again == nullptr) {
            ++done;
            count_done(batch[i].topic);
            continue;
        }
        // One line a batch: while a server is away every message fails with the same reason.
        if (i == done) report_retry(batch[i], again->reason);
        retries.add();
    }
    partition_queues.record_outcomes(std::move(batch), is_done, clock.now(),
                                     options.chance->draw());
    held.set(static_cast<double>(partition_queues.held()));
    return done;
}

bool Consumer::State::is_memory_short() const {
    return options.budget != nullptr && options.budget->is_spent();
}

// They are in memory already, so they are paid whatever is left.
void Consumer::State::count_bytes(std::span<const Message> batch) {
    std::size_t bytes = partition_queues.held_bytes();
    for (const Message& message : batch) bytes += message.bytes();
    share.resize_anyway(bytes);
}

void Consumer::State::tell_subscription() {
    const PartitionChanges changes = partition_queues.changes(is_memory_short());
    for (const auto& [topic, partition, offset] : changes.done) {
        subscription->commit(topic, partition, offset);
    }
    for (const auto& [topic, partition, paused] : changes.pauses) {
        subscription->pause(topic, partition, paused);
    }
}

void Consumer::State::count_done(const std::string& topic) {
    telemetry::Counter*& counter = consumed[topic];
    if (counter == nullptr) {
        counter = &metrics.counter("trackops_bus_consumed_total",
                                   "Messages that a group has handled, dead letters included",
                                   {{"group", options.group}, {"topic", topic}});
    }
    counter->add();
}

void Consumer::State::report_dead_letter(const Message& message, std::string_view reason) {
    const auto held_back = log_gate.admit("dead letter");
    if (!held_back) return;
    const telemetry::SpanContext span = span_of(message);
    const telemetry::LogScope scope(span);
    telemetry::log(
        Level::warn, "bus", "dead letter: a person must look at the message",
        {{"group", options.group},
         {"event", std::string(message.header("ce_id"))},
         {"topic", message.topic},
         {"partition", fmt::to_string(message.partition)},
         {"offset", fmt::to_string(message.offset)},
         {"key", message.key},
         {"reason", std::string(reason)},
         {"action", fmt::format("read it in {}.DLT, mend what the reason names, and send it again",
                                message.topic)},
         {"lines_held_back", std::to_string(*held_back)}});
}

void Consumer::State::report_retry(const Message& message, std::string_view reason) {
    const auto held_back = log_gate.admit("retry");
    if (!held_back) return;
    const telemetry::SpanContext span = span_of(message);
    const telemetry::LogScope scope(span);
    telemetry::log(Level::warn, "bus", "given again later",
                   {{"group", options.group},
                    {"event", std::string(message.header("ce_id"))},
                    {"topic", message.topic},
                    {"partition", fmt::to_string(message.partition)},
                    {"offset", fmt::to_string(message.offset)},
                    {"reason", std::string(reason)},
                    {"lines_held_back", std::to_string(*held_back)}});
}

Consumer::Consumer(Bus& bus, ConsumerOptions options, Handler handler, telemetry::Registry& metrics)
    : state_(std::make_unique<State>(bus, std::move(options), std::move(handler), metrics)) {}

Consumer::~Consumer() = default;

runtime::Progress Consumer::run(Duration max_wait) { return state_->run(max_wait); }

void Consumer::wake() { state_->subscription->wake(); }

}  // namespace trackops::bus
