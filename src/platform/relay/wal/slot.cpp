#include "platform/relay/wal/slot.hpp"

#include <stdexcept>

#include <fmt/format.h>

#include "platform/relay/postgres_checkpoint.hpp"

namespace trackops::relay {
namespace {

constexpr std::size_t slot_name_max = 63;

// A slot under creation is visible a moment before it has its plugin.
constexpr sql::Query select_slot{.name = "relay.slot", .text = R"sql(
    SELECT active, coalesce(wal_status, ''), confirmed_flush_lsn::text,
           coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint,
           coalesce(plugin IN ('pgoutput', '') AND database = current_database(), false)
    FROM pg_replication_slots WHERE slot_name = $1::text
)sql"};

constexpr sql::Query select_publication{.name = "relay.publication", .text = R"sql(
    SELECT pubinsert AND pubviaroot
           AND EXISTS (SELECT FROM pg_publication_tables
                       WHERE pubname = $1::text AND tablename = 'outbox_events'
                         AND rowfilter IS NULL)
    FROM pg_publication WHERE pubname = $1::text
)sql"};

constexpr sql::Query remove_slot{.name = "relay.slot.drop",
                                 .text = "SELECT pg_drop_replication_slot($1::text)::text"};

constexpr sql::Query terminate_slot_creator_query{.name = "relay.slot.end_maker", .text = R"sql(
    SELECT pg_terminate_backend(active_pid)::text FROM pg_replication_slots
    WHERE slot_name = $1::text AND active AND confirmed_flush_lsn IS NULL
)sql"};

// A statement takes its snapshot before it evaluates its result, so `lsn` lies behind the snapshot.
constexpr sql::Query select_snapshot_at_lsn{
    .name = "relay.sight",
    .text = "SELECT pg_current_snapshot()::text, pg_current_wal_insert_lsn()::text"};

constexpr sql::Query select_lsn{.name = "relay.horizon.lsn",
                                .text = "SELECT pg_current_wal_insert_lsn()::text"};
constexpr sql::Query draw_xid{.name = "relay.horizon.xid",
                              .text = "SELECT pg_current_xact_id()::text"};

pgoutput::Lsn lsn_of(const std::string& text) {
    const auto lsn = pgoutput::Lsn::parse(text);
    if (!lsn) throw std::logic_error("no pg_lsn: " + text);
    return *lsn;
}

}  // namespace

std::string slot_name(std::string_view database) {
    std::string name = "trackops_relay_";
    const std::size_t prefix = name.size();
    std::uint32_t hash = 2'166'136'261;  // FNV-1a
    for (const char c : database) {
        const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        name += fits ? c : '_';
        hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619;
    }
    if (name.size() <= slot_name_max && std::string_view(name).substr(prefix) == database) {
        return name;
    }
    const std::string end = fmt::format("_{:08x}", hash);
    return name.substr(0, slot_name_max - end.size()) + end;
}

std::string SlotState::warning() const {
    if (!exists) return "the replication slot is missing";
    if (wal_status.empty() || wal_status == "reserved" || wal_status == "extended") return "";
    return fmt::format(
        "the replication slot's log is {}: it is more than max_slot_wal_keep_size ({} bytes)",
        wal_status, retained_bytes);
}

SlotState read_slot_state(sql::Transaction& tx, const std::string& slot) {
    const sql::Statement& found = tx.add(select_slot, {slot});
    tx.flush();
    if (found.rows().empty()) return {};
    const sql::Row& row = found.rows().front();
    if (!row.boolean(4)) {
        throw sql::Failure(sql::Fault::defect, "",
                           "the replication slot " + slot +
                               " is of another database or another plugin: drop or rename it");
    }
    SlotState state{.exists = true,
                    .is_active = row.boolean(0),
                    .wal_status = row.text(1),
                    .confirmed = {},
                    .retained_bytes = row.integer(3)};
    if (const auto lsn = row.maybe_text(2)) state.confirmed = lsn_of(*lsn);
    return state;
}

void require_publication(sql::Transaction& tx, const std::string& publication) {
    const sql::Statement& found = tx.add(select_publication, {publication});
    tx.flush();
    if (!found.rows().empty() && found.rows().front().boolean(0)) return;
    throw sql::Failure(sql::Fault::defect, "",
                       "the publication " + publication +
                           " does not bring the inserts of outbox_events via the partition root: "
                           "has somebody changed it?");
}

void drop_slot(sql::Database& database, const std::string& slot) {
    const auto tx = database.begin(sql::Access::write);
    tx->add(remove_slot, {slot});
    tx->commit();
}

SnapshotAtLsn read_snapshot_at_lsn(sql::Database& database) {
    const auto tx = database.begin(sql::Access::read);
    const sql::Statement& seen = tx->add(select_snapshot_at_lsn, {});
    tx->commit();
    const sql::Row& row = seen.rows().at(0);
    return {snapshot_of(row.text(0)), lsn_of(row.text(1))};
}

void terminate_slot_creator(sql::Database& database, const std::string& slot) {
    const auto tx = database.begin(sql::Access::write);
    tx->add(terminate_slot_creator_query, {slot});
    tx->commit();
}

// A transaction that is committed in the log may count as open for a moment. Its id was drawn
// before, so it is below an id that is drawn after the log position was read.
Horizon read_horizon(sql::Database& database) {
    const auto tx = database.begin(sql::Access::write);
    const sql::Statement& lsn = tx->add(select_lsn, {});
    const sql::Statement& xid = tx->add(draw_xid, {});
    tx->commit();
    return {lsn_of(lsn.rows().at(0).text(0)), std::stoull(xid.rows().at(0).text(0))};
}

}  // namespace trackops::relay
