#include "platform/relay/relay.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "platform/relay/batching_delay.hpp"
#include "platform/relay/event_rate.hpp"
#include "platform/relay/lease.hpp"
#include "platform/relay/meters.hpp"
#include "platform/relay/parked_events.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::relay {
namespace {

constexpr Duration broker_backoff_min = std::chrono::milliseconds(20);

std::string refusal_reason(const outbox::Event& event) {
    return fmt::format("the bus refuses the message itself (payload of {} bytes)",
                       event.payload.size());
}

// A call of retry() on its way to run().
struct Request {
    Uuid event_id;
    std::promise<Result<void>> answer;
};

// The registry outlives the relay and keeps its callback: this is what the two share.
struct ScrapeGate {
    std::mutex mutex;
    Relay* relay = nullptr;  // none once it is gone
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
          idle(options.poll_min) {}

    runtime::Progress run(Duration max_wait);
    bool acquire_or_renew_lease();
    void reset();
    void load_parked();

    // The batch that was read, until all of it is acknowledged or set aside.
    bool send();
    void send_burst();
    void park_events_of_parked_keys();
    void park_and_confirm();
    runtime::Progress wait_for_bus();
    runtime::Progress after_read(std::size_t count, Duration max_wait);

    bus::Delivery publish(const outbox::Event& event);
    void count_published(std::size_t count);
    std::future<Result<void>> enqueue(const std::shared_ptr<Request>& request);
    void answer_requests();
    void refuse_requests(const Error& error);
    Result<void> retry(Uuid event_id);
    bool send_retryable_keys();
    bool send_parked_of_key(Uuid key);
    void set_last_error(std::string error);

    const std::unique_ptr<Source> source;
    const std::unique_ptr<bus::Publisher> publisher;
    const Clock& clock;
    const RelayOptions options;
    ParkedEvents parked_events;
    Lease lease;
    const Meters meters;
    const std::shared_ptr<ScrapeGate> gate = std::make_shared<ScrapeGate>();

    // Of the thread that calls run().
    std::vector<outbox::StoredEvent>
        unsent;  // read, neither acknowledged nor set aside; in the order read
    std::vector<ParkedEvent> to_park;      // to be parked before the batch is confirmed
    bool are_parked_known = false;         // as of the source's place
    std::unordered_set<Uuid> parked_keys;  // their events may not leave
    std::vector<Uuid> retryable_keys;      // parked keys whose first event is not at fault
    std::int64_t parked_count = 0;
    bool is_bus_away = false;
    Instant read_at;
    Instant batching_until;
    Duration idle;
    Duration backoff = broker_backoff_min;

    // Shared.
    std::atomic<bool> is_active = false;
    std::atomic<bool> is_paused = false;
    std::atomic<bool> is_woken = false;
    std::atomic<std::int64_t> published_total = 0;
    std::mutex mutex;
    std::string last_error;
    EventRate rate;
    std::deque<std::shared_ptr<Request>> requests;
};

runtime::Progress Relay::State::run(Duration max_wait) {
    if (is_woken.exchange(false)) idle = options.poll_min;
    if (!acquire_or_renew_lease()) {
        refuse_requests({Errc::unavailable, "another relay holds the lease, or the source"});
        return {0, options.idle_max};
    }
    if (is_paused) {
        refuse_requests({Errc::conflict, "the relay is paused"});
        return {0, options.idle_max};
    }
    std::size_t read_now = 0;
    if (unsent.empty() && to_park.empty()) {
        const Instant now = clock.now();
        const Duration left = batching_until - now;
        if (left > Duration::zero() && left <= options.high_rate_batching_delay) return {0, left};
        answer_requests();
        if (!send_retryable_keys()) return wait_for_bus();
        if (parked_count >= options.parked_max) {
            set_last_error(fmt::format(
                "{} events are parked: no more are read before some are retried", parked_count));
            return {0, options.idle_max};
        }
        unsent = source->read(options.batch_max);
        read_now = unsent.size();
        batching_until = now + batching_delay(options, read_now, now - std::exchange(read_at, now));
    }
    if (!send()) {
        refuse_requests({Errc::unavailable, "the bus does not take messages at present"});
        return wait_for_bus();
    }
    park_and_confirm();
    return after_read(read_now, max_wait);
}

bool Relay::State::acquire_or_renew_lease() {
    const Lease::LeaseState hold = lease.acquire_or_renew();
    if (hold == Lease::LeaseState::taken) reset();
    const bool is_holder = hold != Lease::LeaseState::none && source->claim();
    if (!is_holder) reset();  // whoever holds it needs the source
    if (is_holder && !are_parked_known) load_parked();
    const bool was_active = is_active.exchange(is_holder);
    if (was_active != is_holder) {
        telemetry::log(telemetry::Level::info, "relay",
                       is_holder ? "took the lease" : "lost the lease",
                       {{"source", options.source_name}, {"holder", options.holder}});
    }
    return is_holder;
}

// Another relay may have worked meanwhile: what counts is what is stored.
void Relay::State::reset() {
    unsent.clear();
    to_park.clear();
    source->rewind();
    are_parked_known = false;
}

// After the source has found its place: whoever worked before parks an event before it passes it,
// so what lies before that place and did not leave is among these.
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

// False: the bus does not take them all now; the rest stays in `unsent`.
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

// The first unsent event of each key: what comes after it leaves when it is acknowledged.
void Relay::State::send_burst() {
    std::vector<std::size_t> burst;
    std::vector<bus::OutgoingMessage> messages;
    std::unordered_set<Uuid> keys;
    for (std::size_t i = 0; i < unsent.size(); ++i) {
        if (!keys.insert(unsent[i].event.key).second) continue;
        burst.push_back(i);
        messages.push_back(to_message(unsent[i].event, options.source_name));
    }
    const std::vector<bus::Delivery> deliveries = publisher->publish(messages);
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
        telemetry::log(telemetry::Level::warn, "relay", "parked an event",
                       {{"event", stored.event.id.text()},
                        {"type", stored.event.type},
                        {"key", stored.event.key.text()},
                        {"reason", reason}});
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

// Everything that was read is acknowledged, or stored as parked: only now it may be confirmed.
void Relay::State::park_and_confirm() {
    if (!to_park.empty()) {
        parked_count += static_cast<std::int64_t>(parked_events.add(to_park));
        to_park.clear();
    }
    source->confirm();
}

runtime::Progress Relay::State::wait_for_bus() {
    const Duration wait = std::min(backoff, options.broker_backoff_max);
    if (backoff == broker_backoff_min)
        telemetry::log(telemetry::Level::warn, "relay", "the bus does not take messages",
                       {{"source", options.source_name}});
    set_last_error(
        fmt::format("the bus does not take messages; {} events are tried again", unsent.size()));
    backoff = std::min(backoff * 2, options.broker_backoff_max);
    return {0, wait};
}

runtime::Progress Relay::State::after_read(std::size_t count, Duration max_wait) {
    if (backoff != broker_backoff_min)
        telemetry::log(telemetry::Level::info, "relay", "the bus takes messages again",
                       {{"source", options.source_name}});
    backoff = broker_backoff_min;
    set_last_error("");
    if (count > 0) {
        idle = options.poll_min;
        return {count, Duration::zero()};
    }
    // No longer than a poll waits: wake() and retry() do not end this wait.
    max_wait = std::min(max_wait, options.idle_max);
    if (max_wait > Duration::zero() && source->await(max_wait)) return {0, Duration::zero()};
    return {0, std::exchange(idle, std::min(idle * 2, options.poll_max))};
}

bus::Delivery Relay::State::publish(const outbox::Event& event) {
    const bus::OutgoingMessage message = to_message(event, options.source_name);
    const bus::Delivery delivery = publisher->publish({&message, 1}).at(0);
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

std::future<Result<void>> Relay::State::enqueue(const std::shared_ptr<Request>& request) {
    const std::scoped_lock lock(mutex);
    if (requests.size() < options.retries_waiting_max)
        requests.push_back(request);
    else
        request->answer.set_value(fail(Errc::overloaded, "too many retries are waiting"));
    return request->answer.get_future();
}

void Relay::State::answer_requests() {
    std::deque<std::shared_ptr<Request>> taken;
    {
        const std::scoped_lock lock(mutex);
        taken.swap(requests);
    }
    while (!taken.empty()) {
        const auto request = std::move(taken.front());
        taken.pop_front();
        try {
            request->answer.set_value(retry(request->event_id));
        } catch (const std::exception&) {
            request->answer.set_value(fail(Errc::unavailable, "the relay cannot do it at present"));
            const std::scoped_lock lock(mutex);
            requests.insert(requests.begin(), taken.begin(), taken.end());
            throw;
        }
    }
}

void Relay::State::refuse_requests(const Error& error) {
    const std::scoped_lock lock(mutex);
    for (const auto& request : requests) request->answer.set_value(std::unexpected(error));
    requests.clear();
}

Result<void> Relay::State::retry(Uuid event_id) {
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
            parked_events.mark_refused(parked->position, refusal_reason(parked->event),
                                       clock.now());
            std::erase(retryable_keys, parked->event.key);
            return fail(Errc::invalid, refusal_reason(parked->event));
        case bus::Delivery::acknowledged:
            break;
    }
    parked_events.remove(parked->position);
    --parked_count;
    if (std::ranges::find(retryable_keys, parked->event.key) == retryable_keys.end()) {
        retryable_keys.push_back(parked->event.key);
    }
    return {};
}

// At most a batch. False: the bus does not take them now.
bool Relay::State::send_retryable_keys() {
    for (std::size_t moved = 0; !retryable_keys.empty() && moved < options.batch_max; ++moved) {
        if (!send_parked_of_key(retryable_keys.back())) return false;
    }
    return true;
}

// The next event of a queue whose earlier ones have left.
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
            parked_events.mark_refused(next.position, refusal_reason(next.event), clock.now());
            std::erase(retryable_keys, key);
            return true;
        case bus::Delivery::acknowledged:
            break;
    }
    parked_events.remove(next.position);
    --parked_count;
    return true;
}

void Relay::State::set_last_error(std::string error) {
    const std::scoped_lock lock(mutex);
    last_error = std::move(error);
}

Relay::Relay(sql::Database& database, std::unique_ptr<Source> source, bus::Bus& bus,
             const Clock& clock, RelayOptions options, telemetry::Registry& metrics)
    : state_(std::make_unique<State>(database, std::move(source), bus, clock, std::move(options),
                                     metrics)) {
    state_->gate->relay = this;
    metrics.on_scrape([gate = state_->gate] {
        const std::scoped_lock lock(gate->mutex);
        if (gate->relay == nullptr) return;
        const Meters& meters = gate->relay->state_->meters;
        try {
            const RelayStatus status = gate->relay->status();
            meters.backlog.set(static_cast<double>(status.backlog.events));
            meters.oldest_age.set(std::chrono::duration<double>(status.backlog.oldest_age).count());
            meters.parked_events.set(static_cast<double>(status.parked_events));
            meters.parked_keys.set(static_cast<double>(status.parked_keys));
            meters.active.set(status.active ? 1 : 0);
            meters.paused.set(status.paused ? 1 : 0);
        } catch (const std::exception&) {
            meters.scrape_failures.add();
        }
    });
}

Relay::~Relay() {
    {
        const std::scoped_lock lock(state_->gate->mutex);
        state_->gate->relay = nullptr;
    }
    state_->refuse_requests({Errc::unavailable, "the relay is stopping"});
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
    } catch (const std::exception& failure) {
        // What was read and not confirmed is read again: doubles at worst.
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

std::vector<outbox::StoredEvent> Relay::unpublished(std::int64_t after, std::size_t max) {
    return state_->source->unconfirmed(after, max);
}

std::vector<ParkedEvent> Relay::parked(std::int64_t after, std::size_t max) {
    return state_->parked_events.after(after, max);
}

Result<void> Relay::retry(Uuid event_id, Duration wait) {
    const auto request = std::make_shared<Request>(Request{event_id, {}});
    auto answer = state_->enqueue(request);
    if (answer.wait_for(wait) == std::future_status::ready) return answer.get();
    const std::scoped_lock lock(state_->mutex);
    std::erase(state_->requests, request);
    return fail(Errc::timeout, "the relay did not get to it in time");
}

std::future<Result<void>> Relay::begin_retry(Uuid event_id) {
    return state_->enqueue(std::make_shared<Request>(Request{event_id, {}}));
}

void Relay::pause() {
    if (!state_->is_paused.exchange(true)) state_->meters.pauses.add();
}

void Relay::resume() {
    state_->is_paused = false;
    state_->is_woken = true;
}

}  // namespace trackops::relay
