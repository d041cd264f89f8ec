// The state of the relay's replication slot, read from the server's views.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "platform/outbox/snapshot.hpp"
#include "platform/relay/wal/pgoutput.hpp"
#include "platform/sql/database.hpp"

namespace trackops::relay {

// Returns trackops_relay_<database>. Slots belong to the whole server, and their names have fewer
// than 64 characters of [a-z0-9_]. Other characters are replaced, and a hash keeps such names
// apart.
std::string slot_name(std::string_view database);

struct SlotState {
    bool exists = false;
    bool is_active = false;
    std::string wal_status;  // reserved, extended, unreserved, lost; "" during its creation
    std::optional<pgoutput::Lsn> confirmed;
    std::int64_t retained_bytes = 0;  // of the log, kept for this slot

    bool is_lost() const { return exists && wal_status == "lost"; }
    // For an operator; "" while the server keeps the log that the slot needs.
    std::string warning() const;
};
// Throws sql::Failure (defect) when the slot belongs to another database or plugin.
SlotState read_slot_state(sql::Transaction& tx, const std::string& slot);

// Throws sql::Failure (defect) unless the publication covers the inserts of outbox_events.
void require_publication(sql::Transaction& tx, const std::string& publication);

void drop_slot(sql::Database& database, const std::string& slot);
// Ends a connection that is still creating the slot; its client may have died.
void terminate_slot_creator(sql::Database& database, const std::string& slot);

// Every transaction that the snapshot sees committed before `lsn`.
struct SnapshotAtLsn {
    outbox::Snapshot snapshot;
    pgoutput::Lsn lsn;
};
SnapshotAtLsn read_snapshot_at_lsn(sql::Database& database);

// Every transaction that committed before `lsn` has an id below `xid`.
struct Horizon {
    pgoutput::Lsn lsn;
    std::uint64_t xid = 0;
};
Horizon read_horizon(sql::Database& database);

}  // namespace trackops::relay
