// The row of relay.checkpoint, which both sources over PostgreSQL share, and the events behind it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/outbox/snapshot.hpp"
#include "platform/relay/source.hpp"
#include "platform/relay/wal/events.hpp"

namespace trackops::relay {

// The events that `base` sees are confirmed. While `target` is set a window is open: the events
// that `target` sees and `base` does not, of which those up to `cursor` are confirmed.
struct Window {
    outbox::Snapshot base;
    std::optional<outbox::Snapshot> target;
    std::int64_t cursor = 0;
    bool operator==(const Window&) const = default;
};

struct Checkpoint {
    Window window;
    std::optional<WalPosition> wal;  // confirmed, too; never set while a window is open
    bool is_first = false;           // no checkpoint was stored yet
};

// Parses pg_current_snapshot(). Throws std::logic_error for a text that PostgreSQL does not write.
outbox::Snapshot snapshot_of(const std::string& text);

Checkpoint load_checkpoint(sql::Transaction& tx);
void save_checkpoint(sql::Transaction& tx, const Window& window);
void save_checkpoint(sql::Transaction& tx, const outbox::Snapshot& base, const WalPosition& wal);

// By transaction that `base` does not see: the position up to which its events are confirmed.
using ConfirmedPositions = std::unordered_map<std::uint64_t, std::int64_t>;

struct Waiting {
    std::int64_t events = 0;  // at most 100,000 counted
    std::optional<Instant> oldest;
    std::int64_t first = 0;  // positions
    std::int64_t last = 0;
};
// Counts the events behind the window, without those that `done` confirms.
Waiting count_waiting(sql::Transaction& tx, const Window& window, const ConfirmedPositions& done);

// The same as of the stored checkpoint.
Backlog count_backlog(sql::Database& database, const ConfirmedPositions& done, Instant now);
std::vector<outbox::StoredEvent> list_unconfirmed(sql::Database& database,
                                                  const ConfirmedPositions& done,
                                                  std::int64_t after, std::size_t max);

}  // namespace trackops::relay
