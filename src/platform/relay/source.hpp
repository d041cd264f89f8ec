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

namespace trackops::relay {

struct outbox::StoredEvent {
    std::int64_t position =
        0;  // order within a key; says nothing across transactions that overlapped
    outbox::Event event;
};

struct Backlog {
    std::int64_t events = 0;  // committed and not confirmed, at most 100,000 counted
    Duration oldest_age = Duration::zero();
    std::string position;      // the checkpoint as a person may read it
    std::string warning = {};  // what an operator must look at; "" while all is well
};

// At least once, in the order of position within each key, nothing skipped however transactions
// commit. claim(), read(), await(), confirm() and rewind() are used by one thread; the rest is
// thread-safe, reads the checkpoint that is stored, and uses connections of its own.
class Source {
public:
    virtual ~Source() = default;
    virtual std::string_view name() const = 0;  // "poll", "wal"
    // Makes this the only reader, or says that another one is; to be asked again and again, also
    // while nothing is read, since the server takes silence for death. Once it is true, the place
    // to read from is known. Throws sql::Failure; then rewind().
    virtual bool claim() = 0;
    // Waits until there may be something to read. False, at once: it has to be polled. Between
    // read() and read(), by the same thread.
    virtual bool await(Duration /*at_most*/) { return false; }
    // The next events after those that were read before, at most `max`. Throws sql::Failure; then
    // rewind().
    virtual std::vector<outbox::StoredEvent> read(std::size_t max) = 0;
    // Everything that read() has given so far is published or parked: it will not come again, also
    // after a restart. A source may store that up to a second later: then what was confirmed in
    // the last second before a crash comes again.
    virtual void confirm() = 0;
    // Forgets what was read and not confirmed, and what is known of the checkpoint; the next read()
    // starts from the stored one.
    virtual void rewind() = 0;
    // oldest_age is as of `now`.
    virtual Backlog backlog(Instant now) = 0;
    // Committed and not yet confirmed, in position order after `after`, at most `max`; of more than
    // 100,000 the oldest of those.
    virtual std::vector<outbox::StoredEvent> unconfirmed(std::int64_t after, std::size_t max) = 0;
};

// Polls outbox_events. On PostgreSQL by snapshot windows: {base, target, cursor} in
// relay.checkpoint. On SQLite, which has one writer, by position alone. Each writes its checkpoint
// only after events (on PostgreSQL also when many transactions have passed without any).
std::unique_ptr<Source> make_poll_source(sql::Database& database);

// "poll" or "wal" (docs/decisions/0011-wal-source.md), over the database that was opened with this
// URL. Throws std::invalid_argument for another kind, and for "wal" on SQLite, which has none that
// could be read.
std::unique_ptr<Source> make_source(std::string_view kind, sql::Database& database,
                                    std::string_view url, telemetry::Registry& metrics);

}  // namespace trackops::relay
