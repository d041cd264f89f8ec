// The relay publishes the committed events of an outbox on the bus. It writes to no table outside
// its own schema `relay`, except the audit log.
#pragma once
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/audited_act.hpp"
#include "base/backoff.hpp"
#include "base/chance.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "platform/bus/bus.hpp"
#include "platform/relay/source.hpp"
#include "platform/runtime/budget.hpp"
#include "platform/runtime/pump.hpp"

namespace trackops::telemetry {
class Tracer;
}

namespace trackops::relay {

struct RelayOptions {
    std::string source_name = "/trackops/orders";  // ce_source
    std::string holder;                            // names this process in the lease
    std::size_t batch_max = 1024;                  // events a read
    // A read that brings more bytes halves the next ones, down to one event.
    std::size_t batch_bytes_max = 8 * 1024 * 1024;
    // Pays for the events that are read and not published. Spent: the relay reads a few at a time.
    // Null: not counted.
    runtime::Budget* budget = nullptr;
    // Batching. A broker's cost is per request, so a relay under load reads less often and sends
    // more at once. When a read finds at least `batching_threshold` events and fewer than
    // `batch_max`, the next read comes `batching_delay` later; above `high_rate_per_second` it
    // comes `high_rate_batching_delay` later.
    std::size_t batching_threshold = 32;
    Duration batching_delay = std::chrono::milliseconds(10);
    std::int64_t high_rate_per_second = 10'000;
    Duration high_rate_batching_delay = std::chrono::milliseconds(30);
    // The time between two polls: poll_min while events flow, doubling to poll_max while none come.
    // After a pause the first event leaves at most poll_max late.
    Duration poll_min = std::chrono::milliseconds(1);
    Duration poll_max = std::chrono::milliseconds(50);
    // The time between two calls of run() while the relay is paused or lacks the lease.
    Duration idle_max = std::chrono::milliseconds(250);
    // Another relay takes over at most this plus one poll after the holder has stopped.
    Duration lease_time = std::chrono::seconds(4);
    // The wait between two tries while the bus is away.
    BackoffLimits broker_backoff = {std::chrono::milliseconds(20), std::chrono::seconds(2)};
    Chance* chance = &system_chance();  // draws the jitter of that wait
    // With this number of parked events the relay reads no more.
    std::int64_t parked_max = 100'000;
    // Concurrent calls of retry(); one more is refused with Errc::overloaded.
    std::size_t retries_waiting_max = 64;
    // Takes the spans of the events; null: no spans. It outlives the relay.
    telemetry::Tracer* tracer = nullptr;
};

struct ParkedEvent {
    std::int64_t position = 0;
    outbox::Event event;
    // The refusal. "" for an event that the bus has not refused: it waits behind a refused one of
    // its key, or the ones before it have left and the relay sends it next.
    std::string reason;
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

// The relay is one pump.
// - run() reads a batch, publishes it and confirms it. A burst holds at most one event of a key, so
//   an event leaves after the acknowledgement of its predecessor.
// - The relay parks an event that the bus refuses, with payload and reason. Later events of the key
//   queue behind it, also after a restart.
// - Delivery::unavailable parks nothing: the key is held back and tried again with a backoff.
// - Over a polled source run() never waits; its result says when to call again. wake() ("events
// were
//   committed") shortens the next polls to poll_min. Other sources end their own wait.
// - Without the lease run() does nothing.
// status(), sample(), unpublished(), parked() and retry() are thread-safe and use connections of
// their own.
class Relay final : public runtime::Pump {
public:
    Relay(sql::Database& database, std::unique_ptr<Source> source, bus::Bus& bus,
          const Clock& clock, RelayOptions options, telemetry::Registry& metrics);
    ~Relay() override;
    runtime::Progress run(Duration max_wait) override;
    void wake() override;

    RelayStatus status();
    // Returns status() and sets the relay's gauges to it. Throws as status() does, and counts that;
    // the gauges of the database then keep their values.
    RelayStatus sample();
    // Returns the events that are committed and not confirmed, in order of position behind `after`,
    // at most `max`.
    std::vector<outbox::StoredEvent> unpublished(std::int64_t after, std::size_t max);
    std::vector<ParkedEvent> parked(std::int64_t after, std::size_t max);
    // Publishes a parked event, which must be the first of its key; once it is acknowledged, the
    // events behind it follow. run() does the work; this call waits for it at most `wait`.
    // Errc::not_found: no such event is parked. Errc::conflict: it waits behind another one, which
    // the detail names. Errc::invalid: the bus refuses it again. Errc::timeout: run() did not come
    // to it in time.
    // The transaction that takes the event from the parked ones writes the row of `act`.
    Result<void> retry(Uuid event_id, Duration wait, AuditedActPtr act = {});
    // The same without waiting: a later run() sets the answer.
    std::future<Result<void>> begin_retry(Uuid event_id);
    // From the next run() on the relay publishes nothing and keeps the lease. A restart forgets the
    // pause.
    void pause();
    void resume();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trackops::relay
