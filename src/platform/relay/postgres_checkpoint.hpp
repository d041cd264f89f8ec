// The row of relay.checkpoint, which both sources over PostgreSQL share, and what waits behind it.
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

// What base sees is done with. While target is set, a window is open: what target sees and base
// does not, done with up to cursor.
struct Window {
    outbox::Snapshot base;
    std::optional<outbox::Snapshot> target;
    std::int64_t cursor = 0;
    bool operator==(const Window&) const = default;
};

struct Checkpoint {
    Window window;
    std::optional<WalPosition> wal;  // also done with; never together with an open window
    bool is_first = false;           // none was stored yet
};

// std::logic_error for what PostgreSQL does not write.
outbox::Snapshot snapshot_of(const std::string& text);

Checkpoint load_checkpoint(sql::Transaction& tx);
void save_checkpoint(sql::Transaction& tx, const Window& window);
void save_checkpoint(sql::Transaction& tx, const outbox::Snapshot& base, const WalPosition& wal);

// By transaction: up to which position its events are done with, although base does not see it.
using ConfirmedPositions = std::unordered_map<std::uint64_t, std::int64_t>;

struct Waiting {
    std::int64_t events = 0;  // at most 100,000 counted
    std::optional<Instant> oldest;
    std::int64_t first = 0;  // positions
    std::int64_t last = 0;
};
// Behind the window, without what is done with besides.
Waiting count_waiting(sql::Transaction& tx, const Window& window, const ConfirmedPositions& done);

// As of the stored checkpoint, without what is done with besides.
Backlog count_backlog(sql::Database& database, const ConfirmedPositions& done, Instant now);
std::vector<outbox::StoredEvent> list_unconfirmed(sql::Database& database,
                                                  const ConfirmedPositions& done,
                                                  std::int64_t after, std::size_t max);

}  // namespace trackops::relay
