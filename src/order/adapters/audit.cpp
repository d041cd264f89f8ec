#include "order/adapters/audit.hpp"

#include <array>
#include <chrono>

#include "platform/audit/outbox_invariants.hpp"

namespace trackops::order::adapters {
namespace {

using audit::Invariant;
using std::chrono::hours;
using std::chrono::minutes;

// The statements of the invariants in the table below. They:
// - claim nothing about work in progress in another service;
// - look up rows by key for each row of the page instead of joining, so that no plan can read more;
// - are MATERIALIZED where the result of a lookup is used twice; otherwise PostgreSQL runs the
//   lookup for each use.

constexpr audit::Scan order_scan{
    "orders",
    audit::KeyKind::uuid,
    {.name = "audit.orders", .text = "SELECT id FROM orders WHERE id > $1 ORDER BY id LIMIT $2"}};

constexpr audit::Scan customer_scan{
    "customers",
    audit::KeyKind::text,
    {.name = "audit.customers",
     .text = "SELECT id FROM customers WHERE id > $1 ORDER BY id LIMIT $2"}};

constexpr std::string_view default_addresses = R"sql(
    SELECT c.id, c.addresses || ' addresses, ' || c.defaults || ' of them the default'
    FROM (SELECT t.id, (SELECT count(*) FROM addresses a WHERE a.customer_id = t.id) AS addresses,
                 (SELECT count(*) FROM addresses a WHERE a.customer_id = t.id AND a.is_default) AS defaults
          FROM customers t WHERE t.id > $1 AND t.id <= $2) AS c
    WHERE c.defaults <> CASE WHEN c.addresses = 0 THEN 0 ELSE 1 END
)sql";

constexpr std::string_view order_differs_from_history = R"sql(
    WITH o AS MATERIALIZED (
        SELECT t.id, t.version || ' ' || t.status AS state,
               (SELECT h.version || ' ' || h.status FROM order_history h
                WHERE h.order_id = t.id ORDER BY h.revision DESC LIMIT 1) AS told
        FROM orders t WHERE t.id > $1 AND t.id <= $2)
    SELECT CAST(o.id AS TEXT), 'in version ' || o.state || ', its history ends with ' || coalesce(o.told, 'nothing')
    FROM o WHERE coalesce(o.told, '') <> o.state
)sql";

// The triples are status before, type of the event, status after: the transitions of
// domain/status.hpp with the rows of domain/events.hpp. The test checks each of them.
constexpr std::string_view illegal_history = R"sql(
    SELECT CAST(h.order_id AS TEXT), h.type || ' in version ' || h.version || ' leads from '
           || coalesce(h.before, 'nothing') || ' in version ' || coalesce(h.version_before, 0) || ' to ' || h.status
    FROM (SELECT order_id, version, type, status,
                 lag(version) OVER life AS version_before, lag(status) OVER life AS before
          FROM order_history WHERE order_id > $1 AND order_id <= $2
          WINDOW life AS (PARTITION BY order_id ORDER BY revision)) AS h
    WHERE h.version - coalesce(h.version_before, 0)
          <> CASE WHEN h.type IN ('RESERVATION_RETRIED', 'RELEASE_RETRIED') THEN 0 ELSE 1 END
       OR coalesce(h.before, '') || '>' || h.type || '>' || h.status NOT IN
          ('>ORDER_PLACED>PENDING', 'PENDING>ORDER_CONFIRMED>CONFIRMED', 'CONFIRMED>PROCESSING_STARTED>PROCESSING',
           'PROCESSING>ORDER_SHIPPED>SHIPPED', 'SHIPPED>ORDER_DELIVERED>DELIVERED', 'PENDING>ORDER_CANCELLED>CANCELLED',
           'CONFIRMED>ORDER_CANCELLED>CANCELLED', 'PROCESSING>ORDER_CANCELLED>CANCELLED',
           'PENDING>ORDER_DETAILS_CHANGED>PENDING', 'CONFIRMED>ORDER_DETAILS_CHANGED>CONFIRMED',
           'PROCESSING>ORDER_DETAILS_CHANGED>PROCESSING', 'PENDING>SHIPMENT_CORRECTED>PENDING',
           'CONFIRMED>SHIPMENT_CORRECTED>CONFIRMED', 'PROCESSING>SHIPMENT_CORRECTED>PROCESSING',
           'SHIPPED>SHIPMENT_CORRECTED>SHIPPED', 'PENDING>RESERVATION_RETRIED>PENDING', 'CANCELLED>RELEASE_RETRIED>CANCELLED',
           'DELIVERED>PERSONAL_DATA_ERASED>DELIVERED', 'CANCELLED>PERSONAL_DATA_ERASED>CANCELLED')
)sql";

constexpr std::string_view wrong_total = R"sql(
    WITH o AS MATERIALIZED (
        SELECT t.id, t.total_amount AS total, coalesce(t.shipping_amount, 0) +
               coalesce(t.adjustment_amount, 0) +
               (SELECT sum(i.quantity * CAST(i.unit_amount AS NUMERIC))
                FROM order_items i WHERE i.order_id = t.id) AS due
        FROM orders t WHERE t.id > $1 AND t.id <= $2)
    SELECT CAST(o.id AS TEXT), 'the total is ' || o.total || ', lines, shipping and adjustments are '
           || coalesce(CAST(o.due AS TEXT), 'nothing')
    FROM o WHERE o.due IS NULL OR o.due <> o.total
)sql";

constexpr std::string_view orphaned_order_rows = R"sql(
    SELECT CAST(p.order_id AS TEXT), 'rows in ' || p.part || ', and no order'
    FROM (SELECT DISTINCT order_id, 'order_items' AS part FROM order_items
          WHERE order_id > $1 AND order_id <= $2
          UNION ALL SELECT DISTINCT order_id, 'order_history' FROM order_history
          WHERE order_id > $1 AND order_id <= $2
          UNION ALL SELECT DISTINCT order_id, 'saga_instances' FROM saga_instances
          WHERE order_id > $1 AND order_id <= $2) AS p
    WHERE p.order_id NOT IN (SELECT id FROM orders WHERE id > $1 AND id <= $2)
)sql";

constexpr std::string_view orders_without_fulfilment = R"sql(
    SELECT CAST(o.id AS TEXT), o.status || ', and no ORDER_FULFILMENT'
    FROM orders o
    WHERE o.id > $1 AND o.id <= $2
      AND o.id NOT IN (SELECT order_id FROM saga_instances
                       WHERE order_id > $1 AND order_id <= $2 AND type = 'ORDER_FULFILMENT')
)sql";

// A fulfilment is BLOCKED by a shipment without a reservation, or by a release without a reply.
constexpr std::string_view saga_contradicts_order = R"sql(
    WITH o AS MATERIALIZED (
        SELECT t.id, t.status,
               (SELECT f.status FROM saga_instances f
                WHERE f.order_id = t.id AND f.type = 'ORDER_FULFILMENT') AS fulfilment,
               (SELECT c.status FROM saga_instances c
                WHERE c.order_id = t.id AND c.type = 'ORDER_CANCELLATION') AS cancellation
        FROM orders t WHERE t.id > $1 AND t.id <= $2)
    SELECT CAST(o.id AS TEXT), o.status || ', its fulfilment is ' || o.fulfilment || ', its cancellation '
           || coalesce(o.cancellation, 'nothing')
    FROM o
    WHERE o.fulfilment IS NOT NULL AND NOT CASE
          WHEN o.status = 'CANCELLED' AND o.fulfilment = 'COMPLETED'
          THEN coalesce(o.cancellation, '') IN ('RUNNING', 'COMPLETED', 'BLOCKED')
          WHEN o.cancellation IS NOT NULL THEN 1 = 0
          WHEN o.status = 'CANCELLED' THEN o.fulfilment IN ('COMPENSATING', 'COMPENSATED', 'BLOCKED')
          WHEN o.status = 'PENDING' THEN o.fulfilment = 'RUNNING'
          WHEN o.status IN ('CONFIRMED', 'PROCESSING') THEN o.fulfilment = 'COMPLETED'
          ELSE o.fulfilment IN ('COMPLETED', 'BLOCKED', 'COMPENSATED') END
)sql";

constexpr std::string_view steps_contradict_saga = R"sql(
    SELECT CAST(s.id AS TEXT), s.type || ' is ' || s.status || ', finished at '
           || coalesce(CAST(s.finished_at AS TEXT), 'no time') || '; ' || s.steps || ' steps, ' || s.done
           || ' done, ' || s.open || ' open, ' || s.running || ' running, release '
           || coalesce(s.release, 'nothing')
    FROM (SELECT i.id, i.type, i.status, i.finished_at,
              (SELECT count(*) FROM saga_steps t WHERE t.saga_id = i.id) AS steps,
              (SELECT count(*) FROM saga_steps t WHERE t.saga_id = i.id AND t.status = 'DONE') AS done,
              (SELECT count(*) FROM saga_steps t WHERE t.saga_id = i.id AND t.status IN ('PENDING', 'RUNNING')) AS open,
              (SELECT count(*) FROM saga_steps t WHERE t.saga_id = i.id AND t.status = 'RUNNING') AS running,
              (SELECT min(t.status) FROM saga_steps t WHERE t.saga_id = i.id AND t.name = 'release') AS release
          FROM saga_instances i WHERE i.order_id > $1 AND i.order_id <= $2) AS s
    WHERE s.steps = 0
       OR (s.finished_at IS NOT NULL) <> (s.status IN ('COMPLETED', 'COMPENSATED'))
       OR NOT CASE s.status
          WHEN 'COMPLETED' THEN s.done = s.steps
          WHEN 'COMPENSATED' THEN s.open = 0 AND coalesce(s.release, 'DONE') = 'DONE'
          WHEN 'BLOCKED' THEN s.open = 0
          ELSE s.running = 1 END
)sql";

// One lookup for each saga instead of five.
constexpr std::string_view steps_contradict_saga_postgres = R"sql(
    SELECT CAST(s.id AS TEXT), s.type || ' is ' || s.status || ', finished at '
           || coalesce(CAST(s.finished_at AS TEXT), 'no time') || '; ' || t.steps || ' steps, ' || t.done
           || ' done, ' || t.open || ' open, ' || t.running || ' running, release '
           || coalesce(t.release, 'nothing')
    FROM saga_instances s CROSS JOIN LATERAL (
        SELECT count(*) AS steps, count(*) FILTER (WHERE l.status = 'DONE') AS done,
               count(*) FILTER (WHERE l.status IN ('PENDING', 'RUNNING')) AS open,
               count(*) FILTER (WHERE l.status = 'RUNNING') AS running,
               min(l.status) FILTER (WHERE l.name = 'release') AS release
        FROM saga_steps l WHERE l.saga_id = s.id) AS t
    WHERE s.order_id > $1 AND s.order_id <= $2
      AND (t.steps = 0
       OR (s.finished_at IS NOT NULL) <> (s.status IN ('COMPLETED', 'COMPENSATED'))
       OR NOT CASE s.status
          WHEN 'COMPLETED' THEN t.done = t.steps
          WHEN 'COMPENSATED' THEN t.open = 0 AND coalesce(t.release, 'DONE') = 'DONE'
          WHEN 'BLOCKED' THEN t.open = 0
          ELSE t.running = 1 END)
)sql";

constexpr std::string_view changes_not_announced_query = R"sql(
    SELECT CAST(o.id AS TEXT), o.status || ' in version ' || o.version || ', and ' || o.events_sent || ' events sent'
    FROM orders o WHERE o.id > $1 AND o.id <= $2 AND o.events_sent < o.version
)sql";

// An event whose id is in no history was sent again by a saga of version 0.1, which did not record
// that: a creation or a cancellation.
constexpr std::string_view events_without_change = R"sql(
    WITH e AS MATERIALIZED (
        SELECT x.event_id, x.type, x.sequence, x.aggregate_id,
               (SELECT o.events_sent FROM orders o WHERE o.id = x.aggregate_id) AS sent,
               (SELECT h.type FROM order_history h
                WHERE h.order_id = x.aggregate_id AND h.event_id = x.event_id LIMIT 1) AS told
        FROM outbox_events x WHERE x.position > $1 AND x.position <= $2 AND x.type <> 'CUSTOMER_ERASED')
    SELECT CAST(e.event_id AS TEXT), e.type || ' is number ' || e.sequence || ' of order '
           || CAST(e.aggregate_id AS TEXT) || ', which has sent ' || coalesce(CAST(e.sent AS TEXT), 'nothing')
           || '; the history has ' || coalesce(e.told, 'nothing') || ' for it'
    FROM e
    WHERE e.sent IS NULL OR e.sequence > e.sent
       OR CASE coalesce(e.told, '')
          WHEN '' THEN NOT EXISTS (
               SELECT 1 FROM order_history a WHERE a.order_id = e.aggregate_id
               AND a.type = CASE e.type WHEN 'ORDER_CREATED' THEN 'ORDER_PLACED'
                                        WHEN 'ORDER_CANCELLED' THEN 'ORDER_CANCELLED' END)
          WHEN 'ORDER_PLACED' THEN e.type <> 'ORDER_CREATED'
          WHEN 'RESERVATION_RETRIED' THEN e.type <> 'ORDER_CREATED'
          WHEN 'ORDER_DELIVERED' THEN e.type <> 'ORDER_DELIVERED'
          WHEN 'ORDER_CANCELLED' THEN e.type <> 'ORDER_CANCELLED'
          WHEN 'RELEASE_RETRIED' THEN e.type <> 'ORDER_CANCELLED'
          WHEN 'ORDER_DETAILS_CHANGED' THEN e.type <> 'ORDER_UPDATED'
          WHEN 'SHIPMENT_CORRECTED' THEN e.type <> 'ORDER_UPDATED'
          WHEN 'PERSONAL_DATA_ERASED' THEN e.type <> 'ORDER_UPDATED'
          ELSE e.type <> 'ORDER_STATUS_UPDATED' END
)sql";

// Every sweep that claims a saga moves its due_at, so due_at shows when the last sweep was.
constexpr std::string_view overdue_sagas = R"sql(
    SELECT CAST(s.id AS TEXT), s.type || ' of order ' || CAST(s.order_id AS TEXT) || ' is ' || s.status
           || ' and was due at ' || CAST(s.due_at AS TEXT)
    FROM saga_instances s WHERE s.order_id > $1 AND s.order_id <= $2 AND s.due_at < $3
)sql";

constexpr std::string_view overdue_pending_orders = R"sql(
    SELECT CAST(o.id AS TEXT), 'PENDING, with a deadline at ' || CAST(o.deadline_at AS TEXT)
    FROM (SELECT t.id, (SELECT s.deadline_at FROM saga_instances s
                        WHERE s.order_id = t.id AND s.type = 'ORDER_FULFILMENT') AS deadline_at
          FROM orders t WHERE t.id > $1 AND t.id <= $2 AND t.status = 'PENDING') AS o
    WHERE o.deadline_at < $3
)sql";

// Cleanup drops the oldest events. When it has done so, a change must have its event only if it is
// younger than the oldest thousand events that are left. The margin is needed because the clocks of
// replicas may differ.
constexpr std::string_view changes_missing_event = R"sql(
    SELECT CAST(h.order_id AS TEXT), h.type || ' in version ' || h.version || ' of '
           || CAST(h.occurred_at AS TEXT) || ' has no event ' || CAST(h.event_id AS TEXT)
    FROM order_history h LEFT JOIN outbox_events e ON e.event_id = h.event_id
    WHERE e.event_id IS NULL AND h.event_id IS NOT NULL
      AND h.occurred_at > (
          SELECT CASE WHEN min(first.position) > 1 THEN max(first.occurred_at)
                      WHEN min(first.position) = 1 THEN '0001-01-01T00:00:00.000000Z' END
          FROM (SELECT position, occurred_at FROM outbox_events ORDER BY position LIMIT 1000) AS first)
    LIMIT 1000
)sql";

// Cleanup keeps a parked event, so the events of its order may have a gap before it. The query
// skips the orders with a parked event.
constexpr std::string_view sequence_gaps = R"sql(
    SELECT CAST(n.aggregate_id AS TEXT), n.events || ' events numbered ' || n.first || ' to ' || n.last
           || '; the order has sent ' || coalesce(CAST(o.events_sent AS TEXT), 'nothing')
    FROM (SELECT aggregate_id, count(*) AS events, min(sequence) AS first, max(sequence) AS last,
                 count(DISTINCT sequence) AS numbers
          FROM outbox_events WHERE type <> 'CUSTOMER_ERASED' GROUP BY aggregate_id) AS n
    LEFT JOIN orders o ON o.id = n.aggregate_id
    WHERE (n.numbers <> n.events OR n.last - n.first + 1 <> n.events OR n.last <> coalesce(o.events_sent, 0))
      AND n.aggregate_id NOT IN (SELECT aggregate_id FROM relay_parked_events)
    LIMIT 1000
)sql";

constexpr std::string_view sequence_gaps_postgres = R"sql(
    SELECT CAST(n.aggregate_id AS TEXT), n.events || ' events numbered ' || n.first || ' to ' || n.last
           || '; the order has sent ' || coalesce(CAST(o.events_sent AS TEXT), 'nothing')
    FROM (SELECT aggregate_id, count(*) AS events, min(sequence) AS first, max(sequence) AS last,
                 count(DISTINCT sequence) AS numbers
          FROM outbox_events WHERE type <> 'CUSTOMER_ERASED' GROUP BY aggregate_id) AS n
    LEFT JOIN orders o ON o.id = n.aggregate_id
    WHERE (n.numbers <> n.events OR n.last - n.first + 1 <> n.events OR n.last <> coalesce(o.events_sent, 0))
      AND n.aggregate_id NOT IN (SELECT aggregate_id FROM relay.parked_events)
    LIMIT 1000
)sql";

constexpr auto table = std::to_array<Invariant>({
    {.name = "order_is_where_its_history_ends",
     .description = "no order changes without a row that says when, why and by whom",
     .scan = &order_scan,
     .violations_query = order_differs_from_history},
    {.name = "history_is_a_life_of_an_order",
     .description = "versions have no gap, and each step is one that an order may take",
     .scan = &order_scan,
     .violations_query = illegal_history},
    {.name = "total_is_the_sum_of_the_lines",
     .description = "nobody pays another amount than lines, shipping and adjustments come to",
     .scan = &order_scan,
     .violations_query = wrong_total},
    {.name = "parts_belong_to_an_order",
     .description = "an order is written and kept as one",
     .scan = &order_scan,
     .violations_query = orphaned_order_rows},
    {.name = "order_has_its_fulfilment",
     .description = "somebody looks after every order until it is settled",
     .scan = &order_scan,
     .violations_query = orders_without_fulfilment},
    {.name = "sagas_agree_with_their_order",
     .description =
         "a saga that says it is over has done its work, and none goes on without a reason",
     .scan = &order_scan,
     .violations_query = saga_contradicts_order},
    {.name = "sagas_agree_with_their_steps",
     .description = "COMPLETED and COMPENSATED are not said before the last step is",
     .scan = &order_scan,
     .violations_query = steps_contradict_saga,
     .violations_postgres = steps_contradict_saga_postgres},
    {.name = "changes_are_announced",
     .description = "the world hears of every change of an order",
     .scan = &order_scan,
     .violations_query = changes_not_announced_query},
    {.name = "sagas_are_looked_at",
     .description =
         "a saga that is due is looked at within ten minutes, while the database answers",
     .scan = &order_scan,
     .violations_query = overdue_sagas,
     .overdue = minutes(10)},
    {.name = "orders_leave_pending",
     .description = "no order is PENDING a day after its deadline",
     .scan = &order_scan,
     .violations_query = overdue_pending_orders,
     .overdue = hours(24)},
    {.name = "events_tell_of_changes",
     .description = "the world hears of nothing that did not happen",
     .scan = &audit::outbox_scan,
     .violations_query = events_without_change},
    {.name = "customer_has_one_default_address",
     .description = "an order without an address of its own has one place to go to",
     .scan = &customer_scan,
     .violations_query = default_addresses},
    {.name = "changes_have_their_event",
     .description = "each change that the outbox reaches back to has its one event",
     .scan = nullptr,
     .violations_query = changes_missing_event,
     .reads_all = true},
    {.name = "events_are_numbered_without_gap",
     .description = "a consumer can tell that it missed no event of an order",
     .scan = nullptr,
     .violations_query = sequence_gaps,
     .violations_postgres = sequence_gaps_postgres,
     .reads_all = true},
});

}  // namespace

audit::Invariants order_invariants() {
    audit::Invariants all(table.begin(), table.end());
    for (const Invariant& invariant : audit::relay_invariants()) all.push_back(invariant);
    return all;
}

}  // namespace trackops::order::adapters
