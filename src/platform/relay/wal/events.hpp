// From the frames of a replication stream to committed events and how far they bring the reader.
// Sans I/O, total on any bytes.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "platform/outbox/snapshot.hpp"
#include "platform/relay/source.hpp"
#include "platform/relay/wal/pgoutput.hpp"

namespace trackops::relay {

// Everything that committed before lsn is done with, and of the next transaction with events the
// positions up to cursor.
struct WalPosition {
    pgoutput::Lsn lsn;
    std::int64_t cursor = 0;
    bool operator==(const WalPosition&) const = default;
};

struct WalStep {
    std::optional<outbox::StoredEvent> event;
    std::uint64_t xid = 0;  // of the event's transaction
    WalPosition after;      // done with this, the reader has come so far
};

class WalEvents {
public:
    // Leaves out what `published` sees, and what `from` is done with.
    WalEvents(WalPosition from, outbox::Snapshot published);

    // Appends to steps what a frame brings. True: the server waits for an answer. After an error
    // nothing more can be made of the stream.
    Result<bool> take(std::string_view frame, std::deque<WalStep>& steps);

    std::uint64_t ignored() const { return ignored_; }  // messages of no use to a reader of inserts

private:
    static constexpr std::size_t columns_needed = 12;
    // Where the columns of an event stand in its rows; none for another table.
    using Layout = std::optional<std::array<std::size_t, columns_needed>>;

    Result<void> take_message(const pgoutput::Message& message, std::deque<WalStep>& steps);
    Result<void> learn(const pgoutput::Relation& relation);
    Result<void> take_insert(const pgoutput::Insert& insert, std::deque<WalStep>& steps);
    void advance_to(pgoutput::Lsn lsn, std::deque<WalStep>& steps);

    const outbox::Snapshot published_;
    WalPosition at_;
    std::int64_t skipped_up_to_;  // in the first transaction with events
    bool is_in_transaction_ = false;
    bool has_events_ = false;  // the transaction, beside what is left out
    std::unordered_map<std::uint32_t, Layout> layouts_;
    std::uint64_t ignored_ = 0;
};

}  // namespace trackops::relay
