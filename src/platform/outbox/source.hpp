// Where committed outbox rows are read from. See docs/decisions for why no reader may order by id
// or time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "platform/outbox/event.hpp"

namespace trackops::outbox {

struct StoredEvent {
    std::int64_t position =
        0;  // order within a key; says nothing across transactions that overlapped
    Event event;
};

struct Backlog {
    std::int64_t events = 0;  // committed and not confirmed, at most 100,000 counted
    Duration oldest_age = Duration::zero();
    std::string position;  // the checkpoint as a person may read it
};

// At least once, in the order of position within each key, nothing skipped however transactions
// commit. read(), confirm() and rewind() are used by one thread; the rest is thread-safe, reads the
// checkpoint that is stored, and uses connections of its own.
class Source {
public:
    virtual ~Source() = default;
    virtual std::string_view name() const = 0;  // "poll"
    // The next events after those that were read before, at most `max`. Throws sql::Failure; then
    // rewind().
    virtual std::vector<StoredEvent> read(std::size_t max) = 0;
    // Everything that read() has given so far is published or parked: it will not come again, also
    // after a restart.
    virtual void confirm() = 0;
    // Forgets what was read and not confirmed, and what is known of the checkpoint; the next read()
    // starts from the stored one.
    virtual void rewind() = 0;
    // oldest_age is as of `now`.
    virtual Backlog backlog(Instant now) = 0;
    // Committed and not yet confirmed, in position order after `after`, at most `max`; of more than
    // 100,000 the oldest of those.
    virtual std::vector<StoredEvent> unconfirmed(std::int64_t after, std::size_t max) = 0;
};

// Polls outbox_events. On PostgreSQL by snapshot windows: {base, target, cursor} in
// relay.checkpoint. On SQLite, which has one writer, by position alone. Each writes its checkpoint
// only after events (on PostgreSQL also when many transactions have passed without any).
std::unique_ptr<Source> make_poll_source(sql::Database& database);

}  // namespace trackops::outbox
