// Turns the frames of a replication stream into committed events and the reader's position. Sans
// I/O; total on any bytes.
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

// The events of every transaction that committed before `lsn` are confirmed; of the next
// transaction with events, those up to position `cursor` are.
struct WalPosition {
    pgoutput::Lsn lsn;
    std::int64_t cursor = 0;
    bool operator==(const WalPosition&) const = default;
};

struct WalStep {
    std::optional<outbox::StoredEvent> event;
    std::uint64_t xid = 0;  // of the event's transaction
    WalPosition after;      // the reader's position once this step is confirmed
};

class WalEvents {
public:
    // Leaves out the events that `published` sees and those that `from` confirms.
    WalEvents(WalPosition from, outbox::Snapshot published);

    // Appends the steps of a frame to `steps`. Returns true when the server asks for a reply. After
    // an error the stream is unusable.
    Result<bool> take(std::string_view frame, std::deque<WalStep>& steps);

    std::uint64_t ignored() const { return ignored_; }  // messages of no use to a reader of inserts

private:
    static constexpr std::size_t columns_needed = 12;
    // The places of an event's columns in a row; nothing for another table.
    using Layout = std::optional<std::array<std::size_t, columns_needed>>;

    Result<void> take_message(const pgoutput::Message& message, std::deque<WalStep>& steps);
    Result<void> learn(const pgoutput::Relation& relation);
    Result<void> take_insert(const pgoutput::Insert& insert, std::deque<WalStep>& steps);
    void advance_to(pgoutput::Lsn lsn, std::deque<WalStep>& steps);

    const outbox::Snapshot published_;
    WalPosition at_;
    std::int64_t skipped_up_to_;  // in the first transaction with events
    bool is_in_transaction_ = false;
    bool has_events_ = false;  // the transaction has events that are not left out
    std::unordered_map<std::uint32_t, Layout> layouts_;
    std::uint64_t ignored_ = 0;
};

}  // namespace trackops::relay
