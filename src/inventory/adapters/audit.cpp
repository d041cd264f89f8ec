#include "inventory/adapters/audit.hpp"

#include <array>

#include "platform/audit/outbox_invariants.hpp"

namespace trackops::inventory::adapters {
namespace {

using audit::Invariant;

// The statements look up rows by key for each row of the page instead of joining, so that no plan
// can read more. A sum over all reservations of a SKU cannot be split, so a page has few SKUs.
constexpr audit::Scan item_scan{
    "items",
    audit::KeyKind::text,
    {.name = "audit.items",
     .text = "SELECT sku FROM inventory_items WHERE sku > $1 ORDER BY sku LIMIT $2"},
    20};

constexpr audit::Scan reservation_scan{
    "reservations",
    audit::KeyKind::uuid,
    {.name = "audit.reservations",
     .text = "SELECT id FROM inventory_reservations WHERE id > $1 ORDER BY id LIMIT $2"}};

constexpr audit::Scan movement_scan{
    "movements",
    audit::KeyKind::integer,
    {.name = "audit.movements",
     .text = "SELECT position FROM stock_movements WHERE position > $1 ORDER BY position LIMIT $2"},
    5'000};

constexpr std::string_view invalid_stock = R"sql(
    SELECT sku, 'on hand ' || on_hand || ', reserved ' || reserved
    FROM inventory_items WHERE sku > $1 AND sku <= $2 AND (reserved < 0 OR reserved > on_hand)
)sql";

constexpr std::string_view reserved_differs_from_lines = R"sql(
    SELECT i.sku, 'reserved ' || i.reserved || ', live reservations hold ' || i.held
           || '; the ledger shipped ' || i.moved || ', fulfilled reservations held ' || i.fulfilled
    FROM (SELECT t.sku, t.reserved, coalesce((
              SELECT sum(l.quantity) FROM inventory_reservation_items l
              JOIN inventory_reservations r ON r.id = l.reservation_id
              WHERE l.sku = t.sku AND r.status = 'RESERVED'), 0) AS held, coalesce((
              SELECT sum(l.quantity) FROM inventory_reservation_items l
              JOIN inventory_reservations r ON r.id = l.reservation_id
              WHERE l.sku = t.sku AND r.status = 'FULFILLED'), 0) AS fulfilled, coalesce((
              SELECT -sum(m.delta) FROM stock_movements m
              WHERE m.sku = t.sku AND m.reason = 'SHIPMENT'), 0) AS moved
          FROM inventory_items t WHERE t.sku > $1 AND t.sku <= $2) AS i
    WHERE i.held <> i.reserved OR i.fulfilled <> i.moved
)sql";

// The auditor spends most of its time here, so each SKU's lines are read once instead of twice.
constexpr std::string_view reserved_differs_from_lines_postgres = R"sql(
    SELECT i.sku, 'reserved ' || i.reserved || ', live reservations hold ' || l.held
           || '; the ledger shipped ' || m.moved || ', fulfilled reservations held ' || l.fulfilled
    FROM inventory_items i CROSS JOIN LATERAL (
        SELECT coalesce(sum(t.quantity) FILTER (WHERE r.status = 'RESERVED'), 0) AS held,
               coalesce(sum(t.quantity) FILTER (WHERE r.status = 'FULFILLED'), 0) AS fulfilled
        FROM inventory_reservation_items t JOIN inventory_reservations r ON r.id = t.reservation_id
        WHERE t.sku = i.sku) AS l CROSS JOIN LATERAL (
        SELECT coalesce(-sum(t.delta), 0) AS moved FROM stock_movements t
        WHERE t.sku = i.sku AND t.reason = 'SHIPMENT') AS m
    WHERE i.sku > $1 AND i.sku <= $2 AND (l.held <> i.reserved OR l.fulfilled <> m.moved)
)sql";

constexpr std::string_view on_hand_differs_from_ledger = R"sql(
    SELECT i.sku, 'on hand ' || i.on_hand || ', the ledger ends with ' || i.balance
    FROM (SELECT t.sku, t.on_hand, coalesce((
              SELECT m.on_hand_after FROM stock_movements m WHERE m.sku = t.sku
              ORDER BY m.position DESC LIMIT 1), 0) AS balance
          FROM inventory_items t WHERE t.sku > $1 AND t.sku <= $2) AS i
    WHERE i.balance <> i.on_hand
)sql";

// The previous movement of a SKU is usually in the same page.
constexpr std::string_view ledger_gaps = R"sql(
    SELECT m.sku, 'movement ' || m.position || ': ' || m.before || ' and ' || m.delta || ' are not ' || m.on_hand_after
    FROM (SELECT t.sku, t.position, t.delta, t.on_hand_after, coalesce(t.in_page, (
              SELECT p.on_hand_after FROM stock_movements p WHERE p.sku = t.sku AND p.position < t.position
              ORDER BY p.position DESC LIMIT 1), 0) AS before
          FROM (SELECT sku, position, delta, on_hand_after,
                       lag(on_hand_after) OVER (PARTITION BY sku ORDER BY position) AS in_page
                FROM stock_movements WHERE position > $1 AND position <= $2) AS t) AS m
    WHERE m.before + m.delta <> m.on_hand_after
)sql";

// || '' prevents the use of the index by SKU: the few lines of a reservation are stored together,
// those of a SKU are not.
constexpr std::string_view shipments_without_reservation = R"sql(
    SELECT CAST(m.position AS TEXT), m.sku || ' moved by ' || m.delta || ' for order ' || coalesce(CAST(m.order_id AS TEXT), '(none)')
           || ', for which a fulfilled reservation held ' || m.held
    FROM (SELECT t.position, t.sku, t.delta, t.order_id, coalesce((
              SELECT l.quantity FROM inventory_reservation_items l
              WHERE l.sku || '' = t.sku AND l.reservation_id = (
                  SELECT r.id FROM inventory_reservations r
                  WHERE r.order_id = t.order_id AND r.status = 'FULFILLED')), 0) AS held
          FROM stock_movements t WHERE t.position > $1 AND t.position <= $2 AND t.reason = 'SHIPMENT') AS m
    WHERE m.held <> -m.delta
)sql";

constexpr std::string_view lines_contradict_status = R"sql(
    SELECT CAST(r.id AS TEXT), r.status || CASE r.has_lines WHEN 0 THEN ', and holds no line' ELSE ', and has lines' END
    FROM (SELECT t.id, t.status, t.sku_count, CASE WHEN EXISTS (
              SELECT 1 FROM inventory_reservation_items l WHERE l.reservation_id = t.id) THEN 1 ELSE 0 END AS has_lines
          FROM inventory_reservations t WHERE t.id > $1 AND t.id <= $2) AS r
    WHERE r.has_lines <> CASE WHEN r.status IN ('REFUSED', 'CANCELLED_FIRST') OR r.sku_count = 0 THEN 0 ELSE 1 END
)sql";

constexpr std::string_view orphaned_lines = R"sql(
    SELECT CAST(l.reservation_id AS TEXT), l.quantity || ' of ' || l.sku || ', the reservation is '
           || coalesce((SELECT r.status FROM inventory_reservations r WHERE r.id = l.reservation_id), 'absent')
           || ', items of the SKU: ' || (SELECT count(*) FROM inventory_items i WHERE i.sku = l.sku)
    FROM inventory_reservation_items l
    WHERE l.reservation_id > $1 AND l.reservation_id <= $2
      AND (l.reservation_id NOT IN (SELECT id FROM inventory_reservations WHERE id > $1 AND id <= $2)
           OR (l.reservation_id IN (SELECT id FROM inventory_reservations
                                    WHERE id > $1 AND id <= $2 AND status = 'RESERVED')
               AND NOT EXISTS (SELECT 1 FROM inventory_items i WHERE i.sku = l.sku)))
)sql";

constexpr std::string_view missing_replies = R"sql(
    SELECT CAST(r.id AS TEXT), r.status || ' for order ' || CAST(r.order_id AS TEXT) || ', and nobody was told'
    FROM inventory_reservations r
    WHERE r.id > $1 AND r.id <= $2 AND r.order_id IS NOT NULL AND r.replies = 0
)sql";

constexpr std::string_view orphaned_replies = R"sql(
    SELECT CAST(e.event_id AS TEXT), e.type || ' is reply ' || e.sequence || ' about order '
           || CAST(e.aggregate_id AS TEXT) || ', whose reservation counts ' || e.replies
    FROM (SELECT x.event_id, x.type, x.sequence, x.aggregate_id, coalesce((
              SELECT r.replies FROM inventory_reservations r WHERE r.order_id = x.aggregate_id), 0) AS replies
          FROM outbox_events x WHERE x.position > $1 AND x.position <= $2) AS e
    WHERE e.sequence > e.replies
)sql";

// Cleanup keeps a parked event, so the replies of its order may have a gap before it. The query
// skips the orders with a parked event.
constexpr std::string_view sequence_gaps = R"sql(
    SELECT CAST(n.aggregate_id AS TEXT), n.events || ' replies numbered ' || n.first || ' to ' || n.last
           || '; the reservation counts ' || coalesce(CAST(r.replies AS TEXT), 'none')
    FROM (SELECT aggregate_id, count(*) AS events, min(sequence) AS first, max(sequence) AS last,
                 count(DISTINCT sequence) AS numbers
          FROM outbox_events GROUP BY aggregate_id) AS n
    LEFT JOIN inventory_reservations r ON r.order_id = n.aggregate_id
    WHERE (n.numbers <> n.events OR n.last - n.first + 1 <> n.events OR n.last <> coalesce(r.replies, 0))
      AND n.aggregate_id NOT IN (SELECT aggregate_id FROM relay_parked_events)
    LIMIT 1000
)sql";

constexpr std::string_view sequence_gaps_postgres = R"sql(
    SELECT CAST(n.aggregate_id AS TEXT), n.events || ' replies numbered ' || n.first || ' to ' || n.last
           || '; the reservation counts ' || coalesce(CAST(r.replies AS TEXT), 'none')
    FROM (SELECT aggregate_id, count(*) AS events, min(sequence) AS first, max(sequence) AS last,
                 count(DISTINCT sequence) AS numbers
          FROM outbox_events GROUP BY aggregate_id) AS n
    LEFT JOIN inventory_reservations r ON r.order_id = n.aggregate_id
    WHERE (n.numbers <> n.events OR n.last - n.first + 1 <> n.events OR n.last <> coalesce(r.replies, 0))
      AND n.aggregate_id NOT IN (SELECT aggregate_id FROM relay.parked_events)
    LIMIT 1000
)sql";

// There is no invariant that an order has one reservation: a unique index guarantees it.
constexpr auto table = std::to_array<Invariant>({
    {.name = "stock_is_sound",
     .description = "0 <= reserved <= on hand: nothing is oversold",
     .scan = &item_scan,
     .violations_query = invalid_stock},
    {.name = "reservations_account_for_stock",
     .description = "no unit is held for nobody or promised twice; each that was shipped left once",
     .scan = &item_scan,
     .violations_query = reserved_differs_from_lines,
     .violations_postgres = reserved_differs_from_lines_postgres},
    {.name = "on_hand_is_what_the_ledger_says",
     .description = "stock changes only with a row in the ledger",
     .scan = &item_scan,
     .violations_query = on_hand_differs_from_ledger},
    {.name = "ledger_adds_up",
     .description = "each balance is the one before and the movement",
     .scan = &movement_scan,
     .violations_query = ledger_gaps},
    {.name = "shipments_have_their_reservation",
     .description = "what leaves for an order is what was held for it",
     .scan = &movement_scan,
     .violations_query = shipments_without_reservation},
    {.name = "reservations_agree_with_their_lines",
     .description = "all lines of an order are held, or none",
     .scan = &reservation_scan,
     .violations_query = lines_contradict_status},
    {.name = "lines_belong_to_something",
     .description = "what is held is held by a reservation, of an item that is kept",
     .scan = &reservation_scan,
     .violations_query = orphaned_lines},
    {.name = "decisions_are_answered",
     .description = "an order hears what became of its stock",
     .scan = &reservation_scan,
     .violations_query = missing_replies},
    {.name = "replies_tell_of_reservations",
     .description = "nobody hears of a reservation that is not there",
     .scan = &audit::outbox_scan,
     .violations_query = orphaned_replies},
    {.name = "replies_are_numbered_without_gap",
     .description = "each reply that was counted is there, once",
     .scan = nullptr,
     .violations_query = sequence_gaps,
     .violations_postgres = sequence_gaps_postgres,
     .reads_all = true},
});

}  // namespace

audit::Invariants stock_invariants() {
    audit::Invariants all(table.begin(), table.end());
    for (const Invariant& invariant : audit::relay_invariants()) all.push_back(invariant);
    return all;
}

}  // namespace trackops::inventory::adapters
