#include "sim/mutants.hpp"

#include <algorithm>
#include <array>

namespace trackops::sim {
namespace {

constexpr std::string_view copy_default_address =
    "SELECT a.id, d.label, d.recipient, d.line1, d.line2, d.city, d.region, d.postal_code, "
    "d.country, d.phone, d.is_default, d.version, d.created_at, d.updated_at, d.customer_id "
    "FROM addresses AS a JOIN addresses AS d ON d.customer_id = a.customer_id AND d.is_default "
    "WHERE a.id = $1";

constexpr auto all = std::to_array<Mutant>({
    {.name = "offset_before_handling",
     .bug = "a consumer's offset is committed with the poll, before its messages are handled",
     .kind = MutantKind::offsets_at_poll},
    {.name = "rebalance_goes_on",
     .bug = "after a rebalance a group goes on where it had read to, not where it had committed",
     .kind = MutantKind::goes_on_after_loss},
    {.name = "checkpoint_before_ack",
     .bug = "the relay stores its checkpoint before the broker has acknowledged",
     .kind = MutantKind::confirms_unsent},
    {.name = "ack_before_broker",
     .bug = "the publisher acknowledges what the broker did not take",
     .kind = MutantKind::acks_unsent},
    {.name = "successor_overtakes",
     .bug = "a message that failed is sent again in the background, and its successor overtakes it",
     .kind = MutantKind::sends_later},
    {.name = "unknown_commit_guessed",
     .bug = "a commit whose answer was lost counts as done",
     .kind = MutantKind::commit_guessed},
    {.name = "stale_cache",
     .bug = "entries of the cache outlive their half minute",
     .kind = MutantKind::cache_keeps,
     .seeds = 40},
    {.name = "older_replaces_newer",
     .bug = "a late reader puts an older version into the cache over a newer one",
     .kind = MutantKind::cache_takes_older,
     .seeds = 60},
    {.name = "cache_replaces_nothing",
     .bug = "an entry of the cache stays until its time is over, although the order changes",
     .kind = MutantKind::cache_replaces_nothing},
    {.name = "age_from_put",
     .bug = "the age of a cached order counts from after it was read",
     .kind = MutantKind::cache_ages_from_put,
     .seeds = 200},  // one world in forty; OrderCacheTest notices at once
    {.name = "client_change_uncached",
     .bug = "the cache does not hear of a change by a client",
     .kind = MutantKind::cache_skips,
     .query = "order-changing"},
    {.name = "reply_uncached",
     .bug = "the cache does not hear of a change by inventory",
     .kind = MutantKind::cache_skips,
     .query = "order-settling",
     .seeds = 60},
    {.name = "timeout_uncached",
     .bug = "the cache does not hear of a change by the clock of sagas",
     .kind = MutantKind::cache_skips,
     .query = "order-sagas",
     .seeds = 60},
    {.name = "wait_uncached",
     .bug = "the cache does not hear of what a client has waited for",
     .kind = MutantKind::cache_skips,
     .query = "order-waiting",
     .seeds = 60},
    {.name = "if_match_dropped",
     .bug = "an order is changed whatever version the client names",
     .kind = MutantKind::if_match_dropped},
    {.name = "key_of_pattern",
     .bug = "an idempotency key counts for all paths of its kind",
     .kind = MutantKind::key_of_pattern},
    {.name = "body_unread",
     .bug = "a key that comes with another body is answered as before",
     .kind = MutantKind::first_body},
    {.name = "correlation_lost",
     .bug = "the events of a request do not carry its correlation id",
     .kind = MutantKind::correlation_lost},
    {.name = "etag_of_last",
     .bug = "an answer carries the ETag of another",
     .kind = MutantKind::etag_of_last},
    {.name = "replay_unmarked",
     .bug = "a repeated answer does not say that it is one",
     .kind = MutantKind::replay_unmarked},
    {.name = "refusal_unheard",
     .bug = "the publisher acknowledges what the broker refuses for good",
     .kind = MutantKind::acks_refused},
    {.name = "second_refusal_overtaken",
     .bug = "when an event leaves the queue of its key and the next one is refused in turn, later "
            "events of the key do not wait for it",
     .kind = MutantKind::sends_refused_later,
     .seeds = 20},
    {.name = "parked_lost",
     .bug = "an event that the bus refuses is confirmed and not parked",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "relay.park",
     .text = "INSERT INTO relay_parked_events (event_id, aggregate_id, type, sequence, payload, "
             "correlation_id, causation_id, traceparent, tracestate, occurred_at, position, "
             "reason, parked_at) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 "
             "WHERE $12 = ''"},
    {.name = "parked_overtaken",
     .bug = "a relay that takes over does not know which keys are parked",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "relay.parked.keys",
     .text = "SELECT aggregate_id, reason FROM relay_parked_events WHERE false",
     .seeds = 20},
    {.name = "parked_out_of_turn",
     .bug = "the last event that is parked of a key leaves first",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "relay.parked.of_key",
     .text = "SELECT position, event_id, aggregate_id, type, sequence, payload, correlation_id, "
             "causation_id, traceparent, tracestate, occurred_at, reason, parked_at "
             "FROM relay_parked_events WHERE aggregate_id = $1 ORDER BY position DESC LIMIT $2",
     .seeds = 20},
    {.name = "parked_unlisted",
     .bug = "the list of parked events leaves out those that wait behind another",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "relay.parked.after",
     .text = "SELECT position, event_id, aggregate_id, type, sequence, payload, correlation_id, "
             "causation_id, traceparent, tracestate, occurred_at, reason, parked_at "
             "FROM relay_parked_events WHERE position > $1 AND reason <> '' ORDER BY position "
             "LIMIT $2",
     .seeds = 20},
    {.name = "gaps_skipped",
     .bug = "the relay goes on behind the newest transaction, whatever below it is under way",
     .kind = MutantKind::gaps_unseen},
    {.name = "order_by_transaction",
     .bug = "the relay orders events by the numbers of their transactions",
     .kind = MutantKind::orders_by_transaction},
    {.name = "no_inbox_claim",
     .bug = "inventory handles a message again that it has handled",
     .kind = MutantKind::sql_text,
     .service = "inventory",
     .query = "inbox.claim",
     .text = "INSERT INTO processed_events (event_id, consumer, processed_at) VALUES ($1, $2, $3) "
             "ON CONFLICT DO UPDATE SET processed_at = excluded.processed_at "
             "RETURNING event_id, consumer"},
    {.name = "order_by_id",
     .bug = "the relay orders events by their ids, which clocks make",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "relay.read",
     .text = "SELECT position, event_id, aggregate_id, type, sequence, payload, correlation_id, "
             "causation_id, traceparent, tracestate, occurred_at FROM outbox_events "
             "WHERE position > $1 ORDER BY event_id LIMIT $2",
     .seeds = 40},
    {.name = "no_cancelled_first",
     .bug = "a cancellation that overtakes its order leaves no trace in inventory",
     .kind = MutantKind::sql_text,
     .service = "inventory",
     .query = "reservation.insert",
     .text = "INSERT INTO inventory_reservations (id, order_id, status, reason, shortages, "
             "replies, created_at, updated_at) SELECT $1, $2, $3, $4, $5, $6, $7, $8 "
             "WHERE $3 <> 'CANCELLED_FIRST'"},
    {.name = "no_deadline",
     .bug = "nobody looks at the sagas that are due",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "saga.claim_due",
     .text = "UPDATE saga_instances SET due_at = $2 WHERE id IN (SELECT id FROM saga_instances "
             "WHERE due_at <= $1 AND false ORDER BY due_at LIMIT $3) RETURNING order_id",
     .seeds = 60},
    {.name = "double_release",
     .bug = "a release gives back twice what was held",
     .kind = MutantKind::sql_text,
     .service = "inventory",
     .query = "stock.change",
     .text = "UPDATE inventory_items SET on_hand = on_hand + $2, "
             "reserved = CASE WHEN $3 < 0 AND $2 = 0 THEN max(0, reserved + 2 * $3) "
             "ELSE reserved + $3 END, version = version + 1, updated_at = $4 WHERE sku = $1"},
    {.name = "retry_with_old_id",
     .bug = "a saga that asks again sends the old event id",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "outbox.append",
     .text = "INSERT INTO outbox_events (event_id, aggregate_id, type, sequence, payload, "
             "correlation_id, causation_id, traceparent, tracestate, occurred_at) "
             "VALUES (coalesce((SELECT event_id FROM outbox_events WHERE aggregate_id = $2 "
             "AND type = $3 AND type = 'ORDER_CREATED' LIMIT 1), $1), $2, $3, $4, $5, $6, $7, $8, "
             "$9, $10)"},
    {.name = "retry_dated_back",
     .bug = "a saga that asks again dates its event by what it tells of (it once did)",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "outbox.append",
     .text = "INSERT INTO outbox_events (event_id, aggregate_id, type, sequence, payload, "
             "correlation_id, causation_id, traceparent, tracestate, occurred_at) "
             "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce((SELECT min(occurred_at) "
             "FROM outbox_events WHERE aggregate_id = $2 AND type = $3), $10))",
     .seeds = 40},
    {.name = "order_key_ignored",
     .bug = "an order that was placed under a key is placed again when it is repeated",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "idempotency.record",
     .text = "INSERT INTO idempotency_keys (scope, idempotency_key, fingerprint, status, body, "
             "location, etag, expires_at) SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE $9 <> '' "
             "ON CONFLICT (scope, idempotency_key) DO UPDATE SET body = excluded.body",
     .seeds = 40},
    {.name = "order_key_unread",
     .bug = "nobody looks whether an order's key was answered before",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "idempotency.find",
     .text = "SELECT scope, idempotency_key, fingerprint, status, body, location, etag "
             "FROM idempotency_keys WHERE scope = $1 AND idempotency_key = $2 "
             "AND expires_at > $3 AND false"},
    {.name = "adjustment_key_lost",
     .bug = "an adjustment that is repeated counts again",
     .kind = MutantKind::sql_text,
     .service = "inventory",
     .query = "idempotency.record",
     .text = "INSERT INTO idempotency_keys (scope, idempotency_key, fingerprint, status, body, "
             "location, etag, expires_at) SELECT $1, $2 || $6 || $9, $3, $4, $5, $6, $7, $8"},
    {.name = "compensated_too_early",
     .bug = "a saga calls itself COMPENSATED when it has only asked for its stock back",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "saga.save",
     .text = "INSERT INTO saga_instances (id, type, order_id, status, deadline_at, "
             "next_attempt_at, due_at, started_at, finished_at) "
             "VALUES ($1, $2, $3, CASE WHEN $4 = 'COMPENSATING' THEN 'COMPENSATED' ELSE $4 END, "
             "$5, $6, CASE WHEN $4 = 'COMPENSATING' THEN NULL ELSE $7 END, $8, $9) "
             "ON CONFLICT (id) DO UPDATE SET status = excluded.status, "
             "deadline_at = excluded.deadline_at, next_attempt_at = excluded.next_attempt_at, "
             "due_at = excluded.due_at, finished_at = excluded.finished_at"},
    {.name = "no_version_guard",
     .bug = "an order is saved over a change that another replica saved meanwhile, and its history "
            "over that of the other",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "order.update",
     .text = "UPDATE orders SET status = $3, cancel_reason = $4, carrier = $5, "
             "tracking_number = $6, version = $7, events_sent = $8, updated_at = $9, "
             "revision = $10 WHERE id = $1 AND $2 >= 0",
     .seeds = 60,
     .second_query = "order.insert_history",
     .second_text =
         "INSERT OR REPLACE INTO order_history (order_id, revision, version, type, status, "
         "sequence, event_id, payload, actor, correlation_id, causation_id, occurred_at) "
         "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"},
    {.name = "repetition_unrecorded",
     .bug = "a saga that asks again leaves no row in the history",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "order.insert_history",
     .text = "INSERT INTO order_history (order_id, revision, version, type, status, sequence, "
             "event_id, payload, actor, correlation_id, causation_id, occurred_at) "
             "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 "
             "WHERE $4 NOT LIKE '%_RETRIED'",
     .seeds = 20},
    {.name = "repetition_counts",
     .bug = "a saga that asks again raises the version of the order in its history",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "order.insert_history",
     .text = "INSERT INTO order_history (order_id, revision, version, type, status, sequence, "
             "event_id, payload, actor, correlation_id, causation_id, occurred_at) "
             "SELECT $1, $2, CASE WHEN $4 LIKE '%_RETRIED' THEN $3 + 1 ELSE $3 END, $4, $5, $6, "
             "$7, $8, $9, $10, $11, $12",
     .seeds = 20},
    {.name = "history_of_another_event",
     .bug = "the history gives a change the number of the event before it",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "order.insert_history",
     .text = "INSERT INTO order_history (order_id, revision, version, type, status, sequence, "
             "event_id, payload, actor, correlation_id, causation_id, occurred_at) "
             "SELECT $1, $2, $3, $4, $5, max($6 - 1, 1), $7, $8, $9, $10, $11, $12"},
    {.name = "details_unsaved",
     .bug = "a change of the details is answered and recorded, and the order keeps the old ones",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "order.update_details",
     .text = "UPDATE orders SET shipping_address = $2, delivery_instructions = CASE WHEN $3 <> '' "
             "THEN delivery_instructions END, external_ref = $4, metadata = $5 WHERE id = $1",
     .seeds = 20},
    {.name = "details_untold",
     .bug = "a change of the details is saved without its event",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "outbox.append",
     .text = "INSERT INTO outbox_events (event_id, aggregate_id, type, sequence, payload, "
             "correlation_id, causation_id, traceparent, tracestate, occurred_at) "
             "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 WHERE $3 <> 'ORDER_UPDATED'",
     .seeds = 20},
    {.name = "correction_unsaved",
     .bug = "a corrected tracking number is answered and not saved",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "order.update",
     .text = "UPDATE orders SET status = $3, cancel_reason = $4, carrier = $5, "
             "tracking_number = coalesce(tracking_number, $6), version = $7, events_sent = $8, "
             "updated_at = $9, revision = $10 WHERE id = $1 AND revision = $2",
     .seeds = 40},
    {.name = "cancellation_untold",
     .bug = "a cancelled order is saved without its event",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "outbox.append",
     .text = "INSERT INTO outbox_events (event_id, aggregate_id, type, sequence, payload, "
             "correlation_id, causation_id, traceparent, tracestate, occurred_at) "
             "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 WHERE $3 <> 'ORDER_CANCELLED'"},
    {.name = "checkpoint_skips",
     .bug = "the relay's checkpoint runs one event ahead",
     .kind = MutantKind::sql_text,
     .service = "inventory",
     .query = "relay.checkpoint.save",
     .text = "INSERT INTO relay_checkpoint (id, position) VALUES (1, $1 + 1) "
             "ON CONFLICT (id) DO UPDATE SET position = excluded.position"},
    {.name = "release_unrecorded",
     .bug = "a reservation that was given back still says that it holds",
     .kind = MutantKind::sql_text,
     .service = "inventory",
     .query = "reservation.update",
     .text = "UPDATE inventory_reservations SET status = CASE WHEN $2 = 'RELEASED' "
             "THEN status ELSE $2 END, reason = $3, replies = $4, updated_at = $5 WHERE id = $1"},
    {.name = "ledger_forgets",
     .bug = "a shipment is not written into the ledger",
     .kind = MutantKind::sql_text,
     .service = "inventory",
     .query = "movement.insert",
     .text = "INSERT INTO stock_movements (sku, delta, on_hand_after, reason, order_id, "
             "created_at) SELECT $1, $2, $3, $4, $5, $6 WHERE $4 <> 'SHIPMENT'"},
    {.name = "untracked_line_kept_as_tracked",
     .bug = "a line without stock is stored as one that has some",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "order.insert_item",
     .text = "INSERT INTO order_items (order_id, line, sku, name, quantity, unit_amount, tracked) "
             "VALUES ($1, $2, $3, $4, $5, $6, $7 OR true)"},
    {.name = "adjustment_lost",
     .bug = "the adjustments of an order are not stored",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "order.insert",
     .text = "INSERT INTO orders (id, customer_id, status, currency, total_amount, "
             "shipping_amount, shipping_address, delivery_instructions, external_ref, metadata, "
             "version, revision, events_sent, created_at, updated_at, adjustments, "
             "adjustment_amount) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, "
             "$13, $14, nullif($15, $15), $16)"},
    {.name = "default_address_lost",
     .bug = "no other address becomes the default when the default one is deleted",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "customer.update_address",
     .text = "UPDATE addresses SET label = $2, recipient = $3, line1 = $4, line2 = $5, city = $6, "
             "region = $7, postal_code = $8, country = $9, phone = $10, "
             "is_default = is_default AND $11, version = $12, created_at = $13, updated_at = $14 "
             "WHERE id = $1 AND customer_id = $15",
     .seeds = 20},
    {.name = "address_key_lost",
     .bug = "an address that was added under a key is added again when it is repeated",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "idempotency.record",
     .text = "INSERT INTO idempotency_keys (scope, idempotency_key, fingerprint, status, body, "
             "location, etag, expires_at, recorded_at) SELECT $1, CASE WHEN $1 LIKE '%/addresses' "
             "THEN $2 || $6 ELSE $2 END, $3, $4, $5, $6, $7, $8, $9",
     .seeds = 20},
    {.name = "address_deleted_in_name",
     .bug = "an address that was deleted is still there",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "customer.delete_address",
     .text = "DELETE FROM addresses WHERE id = $1 AND is_default",
     .seeds = 20},
    {.name = "default_address_copied",
     .bug = "an order that names an address gets the customer's default one",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "order.shipping_addresses",
     .text = copy_default_address,
     .seeds = 20,
     .second_query = "order.keep_shipping_addresses",
     .second_text = copy_default_address},
    {.name = "erasure_leaves_answers",
     .bug = "the recorded answers still show a customer that was erased",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "idempotency.replace_body",
     .text = "UPDATE idempotency_keys SET body = $4 WHERE scope = $1 AND idempotency_key = $2 AND "
             "body = $3 AND $4 = ''",
     .seeds = 40},
    {.name = "erasure_frees_keys",
     .bug =
         "the keys of the requests of an erased customer are free, so that a late repetition has "
         "a second effect",
     .kind = MutantKind::sql_text,
     .service = "order",
     .query = "idempotency.replace_body",
     .text = "DELETE FROM idempotency_keys WHERE scope = $1 AND idempotency_key = $2 AND body = $3 "
             "AND $4 <> ''",
     .seeds = 60},
});

}  // namespace

std::span<const Mutant> mutants() { return all; }

const Mutant* mutant_named(std::string_view name) {
    const auto* const found = std::ranges::find(all, name, &Mutant::name);
    return found == all.end() ? nullptr : found;
}

}  // namespace trackops::sim
