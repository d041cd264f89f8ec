#include "platform/relay/relay.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "platform/relay/batch_size.hpp"
#include "platform/relay/batching_delay.hpp"
#include "platform/relay/event_rate.hpp"
#include "platform/relay/lease.hpp"
#include "platform/relay/message.hpp"
#include "platform/relay/meters.hpp"
#include "platform/relay/parked_events.hpp"
#include "platform/relay/publish_spans.hpp"
#include "platform/relay/retry_requests.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/log_gate.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::relay {
namespace {

std::string refusal_reason(const outbox::Event& event) {
    return fmt::format("the bus refuses the message itself (payload of {} bytes)",
                       event.payload.size());
}

// Another relay has taken the lease over since this one last looked.
struct LeaseLost : std::exception {
    const char* what() const noexcept override { return "another relay holds the lease"; }
};

}  // namespace

struct Relay::State {
    State(sql::Database& database, std::unique_ptr<Source> from, bus::Bus& bus, const Clock& time,
          RelayOptions relay_options, telemetry::Registry& metrics)
        : source(std::move(from)),
          publisher(bus.publisher()),
          clock(time),
          options(std::move(relay_options)),
          parked_events(database),
          lease(database, time, options.holder, options.lease_time),
          meters(metrics, {{"source", options.source_name}}),
          batch_size(options),
          idle(options.poll_min),
          backoff(options.broker_backoff),
          requests(options.retries_waiting_max) {}

    runtime::Progress run(Duration max_wait);
    bool acquire_or_renew_lease();
    void reset();
    void load_parked();

    // These work on the batch that was read until every event is acknowledged or to be parked.
    bool send();
    void send_burst();
    void park_events_of_parked_keys();
    void park_and_confirm();
    void report_parked(const outbox::Event& event, const std::string& reason);
    runtime::Progress wait_for_bus();
    runtime::Progress after_read(std::size_t count, Duration max_wait);

    bus::Delivery publish(const outbox::Event& event);
    void count_published(std::size_t count);
    Result<void> retry(const RetryRequests::Request& request);
    bool send_retryable_keys();
    bool send_parked_of_key(Uuid key);
    void remove_parked(const ParkedEvent& parked, const AuditedActPtr& act);
    void mark_parked_refused(const ParkedEvent& parked);
    void set_last_error(std::string error);

    const std::unique_ptr<Source> source;
    const std::unique_ptr<bus::Publisher> publisher;
    const Clock& clock;
    const RelayOptions options;
    ParkedEvents parked_events;
    Lease lease;
    const Meters meters;

    // Only the thread that calls run() uses these.
    std::vector<outbox::StoredEvent> unsent;  // neither acknowledged nor to be parked, in order
    BatchSize batch_size;
    std::vector<ParkedEvent> to_park;      // to be stored before the batch is confirmed
    bool are_parked_known = false;         // as of the source's position
    std::unordered_set<Uuid> parked_keys;  // new events of these keys must be parked, too
    std::vector<Uuid> retryable_keys;      // parked keys whose first event was not refused
    std::int64_t parked_count = 0;
    bool is_bus_away = false;
    Instant read_at;
    Instant batching_until;
    Duration idle;
    Backoff backoff;
    telemetry::LogGate log_gate;

    // Every thread uses these.
    std::atomic<bool> is_active = false;
    std::atomic<bool> is_paused = false;
    std::atomic<bool> is_woken = false;
    std::atomic<std::int64_t> published_total = 0;
    std::mutex mutex;
    std::string last_error;
    EventRate rate;
    RetryRequests requests;
};

runtime::Progress Relay::State::run(Duration max_wait) {
    if (is_woken.exchange(false)) idle = options.poll_min;
    if (!acquire_or_renew_lease()) {
        requests.refuse({Errc::unavailable, "another relay holds the lease, or the source"});
        return {0, options.idle_max};
    }
    if (is_paused) {
        requests.refuse({Errc::conflict, "the relay is paused"});
        return {0, options.idle_max};
    }
    std::size_t read_now = 0;
    if (unsent.empty() && to_park.empty()) {
        const Instant now = clock.now();
        const Duration left = batching_until - now;
        if (left > Duration::zero() && left <= options.high_rate_batching_delay) return {0, left};
        requests.answer([this](const RetryRequests::Request& request) { return retry(request); });
        if (!send_retryable_keys()) return wait_for_bus();
        if (parked_count >= options.parked_max) {
            set_last_error(fmt::format(
                "{} events are parked: no more are read before some are retried", parked_count));
            return {0, options.idle_max};
        }
        unsent = source->read(batch_size.next());
        read_now = unsent.size();
        batch_size.record(unsent);
        batching_until = now + batching_delay(options, read_now, now - std::exchange(read_at, now));
    }
    if (!send()) {
        requests.refuse({Errc::unavailable, "the bus does not take messages at present"});
        return wait_for_bus();
    }
    park_and_confirm();
    batch_size.forget();
    return after_read(read_now, max_wait);
}

bool Relay::State::acquire_or_renew_lease() {
    const Lease::LeaseState hold = lease.acquire_or_renew();
    if (hold == Lease::LeaseState::taken) reset();
    const bool is_holder = hold != Lease::LeaseState::none && source->claim();
    if (!is_holder) reset();  // the holder of the lease needs the source
    if (is_holder && !are_parked_known) load_parked();
    const bool was_active = is_active.exchange(is_holder);
    if (was_active != is_holder) {
        telemetry::log(telemetry::Level::info, "relay",
                       is_holder ? "took the lease" : "lost the lease",
                       {{"source", options.source_name}, {"holder", options.holder}});
    }
    return is_holder;
}

// Another relay may have worked in between, so only the stored state counts.
void Relay::State::reset() {
    unsent.clear();
    batch_size.forget();
    to_park.clear();
    source->rewind();
    are_parked_known = false;
}

// The source must have found its position first. A relay stores a parked event before it confirms
// the batch, so the table holds every event before that position that was not published.
void Relay::State::load_parked() {
    parked_keys.clear();
    retryable_keys.clear();
    for (const ParkedEvents::Key& key : parked_events.keys()) {
        parked_keys.insert(key.key);
        if (key.can_retry) retryable_keys.push_back(key.key);
    }
    parked_count = parked_events.counts().events;
    are_parked_known = true;
}

// Returns false when the bus does not take every event now; the rest stays in `unsent`.
bool Relay::State::send() {
    is_bus_away = false;
    while (!unsent.empty() && !is_bus_away) {
        park_events_of_parked_keys();
        if (!unsent.empty()) send_burst();
    }
    return unsent.empty();
}

void Relay::State::park_events_of_parked_keys() {
    if (parked_keys.empty()) return;
    const Instant now = clock.now();
    std::vector<outbox::StoredEvent> free;
    for (outbox::StoredEvent& stored : unsent) {
        if (parked_keys.contains(stored.event.key)) {
            to_park.push_back({stored.position, std::move(stored.event), "", now});
        } else {
            free.push_back(std::move(stored));
        }
    }
    unsent = std::move(free);
}

// Publishes the first unsent event of each key. The next one of the key must wait for its
// acknowledgement.
void Relay::State::send_burst() {
    std::vector<std::size_t> burst;
    std::vector<bus::OutgoingMessage> messages;
    PublishSpans spans(options.tracer);
    std::unordered_set<Uuid> keys;
    for (std::size_t i = 0; i < unsent.size(); ++i) {
        if (!keys.insert(unsent[i].event.key).second) continue;
        burst.push_back(i);
        messages.push_back(to_message(unsent[i].event, options.source_name));
        spans.add(unsent[i].event, messages.back());
    }
    const std::vector<bus::Delivery> deliveries = publisher->publish(messages);
    spans.end(deliveries);
    std::vector<bool> is_settled(unsent.size(), false);
    std::size_t acknowledged = 0;
    for (std::size_t i = 0; i < burst.size(); ++i) {
        outbox::StoredEvent& stored = unsent[burst[i]];
        if (deliveries.at(i) == bus::Delivery::unavailable) {
            is_bus_away = true;
            meters.retries.add();
            continue;
        }
        is_settled[burst[i]] = true;
        if (deliveries[i] == bus::Delivery::acknowledged) {
            ++acknowledged;
            continue;
        }
        meters.parked.add();
        parked_keys.insert(stored.event.key);
        std::string reason = refusal_reason(stored.event);
        report_parked(stored.event, reason);
        to_park.push_back(
            {stored.position, std::move(stored.event), std::move(reason), clock.now()});
    }
    std::vector<outbox::StoredEvent> left;
    for (std::size_t i = 0; i < unsent.size(); ++i) {
        if (!is_settled[i]) left.push_back(std::move(unsent[i]));
    }
    unsent = std::move(left);
    count_published(acknowledged);
}

void Relay::State::report_parked(const outbox::Event& event, const std::string& reason) {
    const auto held_back = log_gate.admit("parked");
    if (!held_back) return;
    const auto origin = telemetry::parse_traceparent(event.traceparent);
    const telemetry::SpanContext span = origin.value_or(telemetry::SpanContext());
    const telemetry::LogScope scope(span);
    telemetry::log(telemetry::Level::warn, "relay",
                   "parked an event: the later events of its key wait behind it",
                   {{"event", event.id.text()},
                    {"type", event.type},
                    {"key", event.key.text()},
                    {"reason", reason},
                    {"action", "mend what the reason names, then POST /api/relay/events/" +
                                   event.id.text() + "/retry"},
                    {"lines_held_back", std::to_string(*held_back)}});
}

// Every event that was read is acknowledged or about to be stored as parked; only then may the
// source confirm the batch. Confirms nothing when the lease is lost.
void Relay::State::park_and_confirm() {
    if (!to_park.empty()) {
        const auto added = parked_events.add(to_park, options.holder);
        if (!added) throw LeaseLost();
        parked_count += static_cast<std::int64_t>(*added);
        to_park.clear();
    }
    source->confirm();
}

runtime::Progress Relay::State::wait_for_bus() {
    if (!backoff.has_failed())
        telemetry::log(telemetry::Level::warn, "relay", "the bus does not take messages",
                       {{"source", options.source_name}});
    set_last_error(
        fmt::format("the bus does not take messages; {} events are tried again", unsent.size()));
    return {0, backoff.failed(options.chance->draw())};
}

runtime::Progress Relay::State::after_read(std::size_t count, Duration max_wait) {
    if (backoff.has_failed())
        telemetry::log(telemetry::Level::info, "relay", "the bus takes messages again",
                       {{"source", options.source_name}});
    backoff.succeeded();
    set_last_error("");
    if (count > 0) {
        idle = options.poll_min;
        return {count, Duration::zero()};
    }
    // At most idle_max, because wake() and retry() do not end this wait.
    max_wait = std::min(max_wait, options.idle_max);
    if (max_wait > Duration::zero() && source->await(max_wait)) return {0, Duration::zero()};
    return {0, std::exchange(idle, std::min(idle * 2, options.poll_max))};
}

bus::Delivery Relay::State::publish(const outbox::Event& event) {
    bus::OutgoingMessage message = to_message(event, options.source_name);
    PublishSpans spans(options.tracer);
    spans.add(event, message);
    const bus::Delivery delivery = publisher->publish({&message, 1}).at(0);
    spans.end({&delivery, 1});
    if (delivery == bus::Delivery::acknowledged) count_published(1);
    if (delivery == bus::Delivery::unavailable) meters.retries.add();
    if (delivery == bus::Delivery::refused) meters.parked.add();
    return delivery;
}

void Relay::State::count_published(std::size_t count) {
    if (count == 0) return;
    published_total += static_cast<std::int64_t>(count);
    meters.published.add(static_cast<double>(count));
    const std::scoped_lock lock(mutex);
    rate.add(static_cast<std::int64_t>(count), clock.now());
}

Result<void> Relay::State::retry(const RetryRequests::Request& request) {
    const Uuid event_id = request.event_id;
    const auto parked = parked_events.find(event_id);
    if (!parked) return fail(Errc::not_found, "no event with this id is parked");
    const auto queue = parked_events.of_key(parked->event.key, 1);
    if (queue.at(0).event.id != event_id) {
        return fail(Errc::conflict, "it waits behind " + queue[0].event.id.text() +
                                        ", which is parked: retry that one");
    }
    switch (publish(parked->event)) {
        case bus::Delivery::unavailable:
            return fail(Errc::unavailable, "the bus does not take messages at present");
        case bus::Delivery::refused:
            mark_parked_refused(*parked);
            return fail(Errc::invalid, refusal_reason(parked->event));
        case bus::Delivery::acknowledged:
            break;
    }
    remove_parked(*parked, request.act);
    if (std::ranges::find(retryable_keys, parked->event.key) == retryable_keys.end()) {
        retryable_keys.push_back(parked->event.key);
    }
    return {};
}

// Sends at most batch_max events. Returns false when the bus does not take them now.
bool Relay::State::send_retryable_keys() {
    for (std::size_t moved = 0; !retryable_keys.empty() && moved < options.batch_max; ++moved) {
        if (!send_parked_of_key(retryable_keys.back())) return false;
    }
    return true;
}

// Sends the next event of a key whose earlier parked events have left.
bool Relay::State::send_parked_of_key(Uuid key) {
    const auto queue = parked_events.of_key(key, 1);
    if (queue.empty()) {
        std::erase(retryable_keys, key);
        parked_keys.erase(key);
        return true;
    }
    const ParkedEvent& next = queue.front();
    switch (publish(next.event)) {
        case bus::Delivery::unavailable:
            return false;
        case bus::Delivery::refused:
            mark_parked_refused(next);
            return true;
        case bus::Delivery::acknowledged:
            break;
    }
    remove_parked(next, {});
    return true;
}

void Relay::State::remove_parked(const ParkedEvent& parked, const AuditedActPtr& act) {
    if (!parked_events.remove(parked.position, options.holder, act, clock.now())) throw LeaseLost();
    --parked_count;
}

void Relay::State::mark_parked_refused(const ParkedEvent& parked) {
    if (!parked_events.mark_refused(parked.position, refusal_reason(parked.event), clock.now(),
                                    options.holder))
        throw LeaseLost();
    std::erase(retryable_keys, parked.event.key);
}

void Relay::State::set_last_error(std::string error) {
    const std::scoped_lock lock(mutex);
    last_error = std::move(error);
}

Relay::Relay(sql::Database& database, std::unique_ptr<Source> source, bus::Bus& bus,
             const Clock& clock, RelayOptions options, telemetry::Registry& metrics)
    : state_(std::make_unique<State>(database, std::move(source), bus, clock, std::move(options),
                                     metrics)) {}

Relay::~Relay() {
    state_->requests.refuse({Errc::unavailable, "the relay is stopping"});
    try {
        state_->lease.release();
    } catch (const std::exception& failure) {
        telemetry::log(telemetry::Level::warn, "relay", "could not release the lease: it runs out",
                       {{"error", failure.what()}});
    }
}

runtime::Progress Relay::run(Duration max_wait) {
    try {
        return state_->run(max_wait);
    } catch (const LeaseLost&) {
        state_->lease.forget();
        state_->reset();
        return {0, state_->options.idle_max};
    } catch (const std::exception& failure) {
        // The events that were read and not confirmed come again: duplicates at worst.
        state_->unsent.clear();
        state_->to_park.clear();
        state_->source->rewind();
        state_->lease.forget();
        state_->set_last_error(failure.what());
        throw;
    }
}

void Relay::wake() { state_->is_woken = true; }

RelayStatus Relay::status() {
    RelayStatus status;
    status.source = state_->source->name();
    status.active = state_->is_active;
    status.paused = state_->is_paused;
    const Instant now = state_->clock.now();
    status.backlog = state_->source->backlog(now);
    const ParkedEvents::Counts counts = state_->parked_events.counts();
    status.parked_events = counts.events;
    status.parked_keys = counts.keys;
    status.published_total = state_->published_total;
    const std::scoped_lock lock(state_->mutex);
    status.events_per_second = state_->rate.per_second(now);
    status.last_error = state_->last_error;
    return status;
}

RelayStatus Relay::sample() {
    const Meters& meters = state_->meters;
    meters.active.set(state_->is_active ? 1 : 0);
    meters.paused.set(state_->is_paused ? 1 : 0);
    try {
        const RelayStatus now = status();
        meters.backlog.set(static_cast<double>(now.backlog.events));
        meters.oldest_age.set(std::chrono::duration<double>(now.backlog.oldest_age).count());
        meters.parked_events.set(static_cast<double>(now.parked_events));
        meters.parked_keys.set(static_cast<double>(now.parked_keys));
        return now;
    } catch (const std::exception&) {
        meters.sample_failures.add();
        throw;
    }
}

std::vector<outbox::StoredEvent> Relay::unpublished(std::int64_t after, std::size_t max) {
    return state_->source->unconfirmed(after, max);
}

std::vector<ParkedEvent> Relay::parked(std::int64_t after, std::size_t max) {
    return state_->parked_events.after(after, max);
}

Result<void> Relay::retry(Uuid event_id, Duration wait, AuditedActPtr act) {
    const auto request = std::make_shared<RetryRequests::Request>(
        RetryRequests::Request{event_id, std::move(act), {}});
    auto answer = state_->requests.add(request);
    if (answer.wait_for(wait) == std::future_status::ready) return answer.get();
    state_->requests.remove(request);
    return fail(Errc::timeout, "the relay did not get to it in time");
}

std::future<Result<void>> Relay::begin_retry(Uuid event_id) {
    return state_->requests.add(
        std::make_shared<RetryRequests::Request>(RetryRequests::Request{event_id, {}, {}}));
}

void Relay::pause() {
    if (!state_->is_paused.exchange(true)) state_->meters.pauses.add();
}

void Relay::resume() {
    state_->is_paused = false;
    state_->is_woken = true;
}

}  // namespace trackops::relay
