// A source reads committed rows of the outbox. Decision 2 says why no reader may order by id or
// time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "platform/outbox/stored_event.hpp"

namespace trackops::relay {

// No backlog is counted beyond this.
inline constexpr std::int64_t backlog_counted_max = 100'000;

struct Backlog {
    std::int64_t events = 0;  // committed and not confirmed, at most 100,000 counted
    Duration oldest_age = Duration::zero();
    std::string position;      // the checkpoint, readable by a person
    std::string warning = {};  // for an operator; "" while all is well
};

// A source gives every committed event at least once, in order of position within each key, in
// whatever order transactions commit. One thread uses claim(), read(), await(), confirm() and
// rewind(). The other functions are thread-safe, read the stored checkpoint, and use connections of
// their own.
class Source {
public:
    virtual ~Source() = default;
    virtual std::string_view name() const = 0;  // "poll", "wal"
    // Makes this the only reader; false when another one reads. The caller repeats the call also
    // while it reads nothing, because the server ends a silent reader. After true the position to
    // read from is known. Throws sql::Failure; then call rewind().
    virtual bool claim() = 0;
    // Waits until there may be events to read. Returns false at once for a source that must be
    // polled. The reading thread calls it between two reads.
    virtual bool await(Duration /*at_most*/) { return false; }
    // Returns the events behind those that were read before, at most `max`. Throws sql::Failure;
    // then call rewind().
    virtual std::vector<outbox::StoredEvent> read(std::size_t max) = 0;
    // Declares every event that read() has returned published or parked: none of them comes again,
    // also after a restart. A source may store this up to a second later; after a crash the events
    // confirmed in that second come again.
    virtual void confirm() = 0;
    // Forgets the events that were read and not confirmed; the next read() starts from the stored
    // checkpoint.
    virtual void rewind() = 0;
    // Counts the events that wait; oldest_age is as of `now`.
    virtual Backlog backlog(Instant now) = 0;
    // Returns the events that are committed and not confirmed, in order of position behind `after`,
    // at most `max`; of more than 100,000 only the oldest 100,000 are looked at.
    virtual std::vector<outbox::StoredEvent> unconfirmed(std::int64_t after, std::size_t max) = 0;
};

}  // namespace trackops::relay
