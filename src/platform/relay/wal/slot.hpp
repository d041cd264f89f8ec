// The relay's replication slot as the database's tables show it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "platform/outbox/snapshot.hpp"
#include "platform/relay/wal/pgoutput.hpp"
#include "platform/sql/database.hpp"

namespace trackops::relay {

// trackops_relay_<database>: slots belong to the whole server, and their names are made of
// [a-z0-9_] and shorter than 64. What does not fit is replaced, and told apart by a hash.
std::string slot_name(std::string_view database);

struct SlotState {
    bool exists = false;
    bool is_active = false;
    std::string wal_status;  // reserved, extended, unreserved, lost; "" while it is being made
    std::optional<pgoutput::Lsn> confirmed;
    std::int64_t retained_bytes = 0;  // of the log, for its sake

    bool is_lost() const { return exists && wal_status == "lost"; }
    // "" while the server keeps what the slot needs.
    std::string warning() const;
};
// Throws sql::Failure (broken) when the slot is another database's or another plugin's.
SlotState read_slot_state(sql::Transaction& tx, const std::string& slot);

// Throws sql::Failure (broken) unless the publication brings the inserts of outbox_events.
void require_publication(sql::Transaction& tx, const std::string& publication);

void drop_slot(sql::Database& database, const std::string& slot);
// Ends a connection that is still making the slot: its client may be long gone.
void terminate_slot_creator(sql::Database& database, const std::string& slot);

// Everything that the snapshot sees committed before lsn.
struct SnapshotAtLsn {
    outbox::Snapshot snapshot;
    pgoutput::Lsn lsn;
};
SnapshotAtLsn read_snapshot_at_lsn(sql::Database& database);

// Every transaction that committed before lsn has a number below xid.
struct Horizon {
    pgoutput::Lsn lsn;
    std::uint64_t xid = 0;
};
Horizon read_horizon(sql::Database& database);

}  // namespace trackops::relay
