// Moves committed events from an outbox to the bus. Writes to the database nothing but its own
// schema `relay`.
#pragma once
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "platform/bus/bus.hpp"
#include "platform/relay/source.hpp"
#include "platform/runtime/pump.hpp"

namespace trackops::relay {

struct RelayOptions {
    std::string source_name = "/trackops/orders";  // ce_source
    std::string holder;                            // names this process in the lease
    std::size_t batch_max = 1024;                  // events a read
    // A broker's work is by the request: a relay that found so many events, but not all it could
    // have taken, leaves so much time from one read to the next, and sends more at once. More time
    // while more than so many come a second.
    std::size_t batching_threshold = 32;
    Duration batching_delay = std::chrono::milliseconds(10);
    std::int64_t high_rate_per_second = 10'000;
    Duration high_rate_batching_delay = std::chrono::milliseconds(30);
    Duration poll_min =
        std::chrono::milliseconds(1);  // between polls while events flow, doubling to
    Duration poll_max = std::chrono::milliseconds(50);   // so late leaves the first after a pause
    Duration idle_max = std::chrono::milliseconds(250);  // one look while it may not work
    Duration lease_time =
        std::chrono::seconds(4);  // another relay takes over within this plus a poll
    Duration broker_backoff_max =
        std::chrono::seconds(2);           // between tries while the bus is away, from 20 ms on
    std::int64_t parked_max = 100'000;     // parked events; from there on nothing more is read
    std::size_t retries_waiting_max = 64;  // calls of retry() at once
};

struct ParkedEvent {
    std::int64_t position = 0;
    outbox::Event event;
    std::string reason;  // "" for one that only waits behind another of its key
    Instant parked_at;
};

struct RelayStatus {
    std::string source;   // "poll", "wal"
    bool active = false;  // holds the lease
    bool paused = false;
    Backlog backlog;
    std::int64_t parked_events = 0;
    std::int64_t parked_keys = 0;
    std::int64_t published_total = 0;  // by this process
    double events_per_second = 0;      // over the last 10 s
    std::string last_error;            // "" while all is well
};

// One pump. Over a source that is polled it waits nowhere: it says when it wants to be called
// again, and wake() (events were committed) makes the next polls tight again; others wake it
// themselves. Without the lease it idles. Reads a batch; publishes it in bursts with at most one
// event a key in each, so that a successor leaves after its predecessor's ack; confirms it. An
// event that the bus refuses is parked with its payload and reason, and later events of its key
// queue behind it, also after a restart. Delivery::unavailable holds the key back and is tried
// again with a backoff: nothing is parked. status(), unpublished(), parked() and retry() are
// thread-safe and use connections of their own.
class Relay final : public runtime::Pump {
public:
    Relay(sql::Database& database, std::unique_ptr<Source> source, bus::Bus& bus,
          const Clock& clock, RelayOptions options, telemetry::Registry& metrics);
    ~Relay() override;
    runtime::Progress run(Duration max_wait) override;
    void wake() override;

    RelayStatus status();
    // Committed and not yet confirmed, in position order after `after`, at most `max`.
    std::vector<outbox::StoredEvent> unpublished(std::int64_t after, std::size_t max);
    std::vector<ParkedEvent> parked(std::int64_t after, std::size_t max);
    // Publishes the first parked event of its key and, when acknowledged, those that queue behind
    // it. Errc::not_found; Errc::conflict for one that waits behind another (named in the detail);
    // Errc::invalid when the bus refuses it again. Carried out by run(), within `wait`, else
    // Errc::timeout.
    Result<void> retry(Uuid event_id, Duration wait);
    // The same without waiting: a later run() sets the answer.
    std::future<Result<void>> begin_retry(Uuid event_id);
    // Nothing leaves from the next run() on; the lease is kept. Forgotten at a restart.
    void pause();
    void resume();

private:
    struct State;
    std::unique_ptr<State> state_;
};

// The CloudEvents 1.0 message (Kafka binary mode) of an event: topic = type, key = the aggregate's
// id, ce_* headers. Pure.
bus::OutgoingMessage to_message(const outbox::Event& event, std::string_view source_name);

}  // namespace trackops::relay
