#include "platform/audit/outbox_invariants.hpp"

#include <array>

namespace trackops::audit {
namespace {

constexpr Scan parked_scan{"parked events",
                           KeyKind::integer,
                           {.name = "audit.parked",
                            .text = R"sql(
    SELECT position FROM relay_parked_events WHERE position > $1 ORDER BY position LIMIT $2
)sql",
                            .postgres = R"sql(
    SELECT position FROM relay.parked_events WHERE position > $1 ORDER BY position LIMIT $2
)sql"}};

constexpr auto invariants = std::to_array<Invariant>({
    {.name = "checkpoint_is_not_ahead",
     .description = "the relay has not passed events that nobody has written yet",
     .scan = nullptr,
     .violations_query = R"sql(
    SELECT 'relay', 'the checkpoint is at ' || c.position || ', the last event ever was '
                    || coalesce(s.seq, 0)
    FROM relay_checkpoint c LEFT JOIN sqlite_sequence s ON s.name = 'outbox_events'
    WHERE c.position > coalesce(s.seq, 0)
)sql",
     // Evidence must not depend on the number of the latest transaction: it would differ at the
     // recheck.
     .violations_postgres = R"sql(
    SELECT 'relay', 'the checkpoint is at ' || CAST(base AS TEXT) || ', no transaction is that far'
    FROM relay.checkpoint
    WHERE pg_snapshot_xmax(base) > pg_snapshot_xmax(pg_current_snapshot())
)sql"},
    {.name = "parked_events_are_in_the_outbox",
     .description = "an event that is put aside was committed, and cleanup keeps it",
     .scan = &parked_scan,
     .violations_query = R"sql(
    SELECT CAST(p.event_id AS TEXT), p.type || ' is parked at ' || p.position || ', the outbox has '
           || coalesce(CAST(e.event_id AS TEXT), 'nothing') || ' there'
    FROM relay_parked_events p LEFT JOIN outbox_events e ON e.position = p.position
    WHERE p.position > $1 AND p.position <= $2
      AND (e.event_id IS NULL OR e.event_id <> p.event_id)
)sql",
     .violations_postgres = R"sql(
    SELECT CAST(p.event_id AS TEXT), p.type || ' is parked at ' || p.position || ', the outbox has '
           || coalesce(CAST(e.event_id AS TEXT), 'nothing') || ' there'
    FROM relay.parked_events p LEFT JOIN outbox_events e ON e.position = p.position
    WHERE p.position > $1 AND p.position <= $2
      AND (e.event_id IS NULL OR e.event_id <> p.event_id)
)sql"},
});

}  // namespace

const Scan outbox_scan{"outbox", KeyKind::integer, {.name = "audit.outbox", .text = R"sql(
    SELECT position FROM outbox_events WHERE position > $1 ORDER BY position LIMIT $2
)sql"}};

Invariants relay_invariants() { return {invariants.begin(), invariants.end()}; }

}  // namespace trackops::audit
