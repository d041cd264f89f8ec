#include "order/adapters/save_orders.hpp"

#include <algorithm>

#include "order/adapters/event_mapping.hpp"
#include "order/adapters/order_json.hpp"
#include "platform/json/writer.hpp"
#include "platform/outbox/event.hpp"

namespace trackops::order::adapters {
namespace {

constexpr sql::Query insert_order{.name = "order.insert",
                                  .text = R"sql(
    INSERT INTO orders (id, customer_id, status, currency, total_amount, shipping_amount, shipping_address, delivery_instructions,
                        external_ref, metadata, version, revision, events_sent, created_at, updated_at, adjustments, adjustment_amount)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $13, $14, $15, $16)
)sql",
                                  .postgres_batch = R"sql(
    INSERT INTO orders (id, customer_id, status, currency, total_amount, shipping_amount, shipping_address, delivery_instructions,
                        external_ref, metadata, version, revision, events_sent, created_at, updated_at, adjustments, adjustment_amount)
    SELECT unnest($1::uuid[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[]), unnest($5::bigint[]),
           unnest($6::bigint[]), unnest($7::jsonb[]), unnest($8::text[]), unnest($9::text[]), unnest($10::jsonb[]),
           unnest($11::bigint[]), 1, unnest($12::bigint[]), unnest($13::timestamptz[]), unnest($14::timestamptz[]),
           unnest($15::jsonb[]), unnest($16::bigint[])
)sql",
                                  .single_row_uses_text = true};

constexpr sql::Query insert_item{.name = "order.insert_item",
                                 .text = R"sql(
    INSERT INTO order_items (order_id, line, sku, name, quantity, unit_amount, tracked) VALUES ($1, $2, $3, $4, $5, $6, $7)
)sql",
                                 .postgres_batch = R"sql(
    INSERT INTO order_items (order_id, line, sku, name, quantity, unit_amount, tracked)
    SELECT unnest($1::uuid[]), unnest($2::bigint[]), unnest($3::text[]), unnest($4::text[]), unnest($5::bigint[]),
           unnest($6::bigint[]), unnest($7::boolean[])
)sql",
                                 .single_row_uses_text = true};

// The batch locks the rows in the order of their ids before it updates the first one, whatever plan
// the update takes: the count of the locked rows is evaluated first. The update does not join the
// locked rows, because the planner expects one row from unnest() and would scan all locked rows for
// each order.
constexpr sql::Query update_order{.name = "order.update",
                                  .text = R"sql(
    UPDATE orders SET status = $3, cancel_reason = $4, carrier = $5, tracking_number = $6, version = $7, events_sent = $8,
                      updated_at = $9, revision = $10, cancel_details = $11
    WHERE id = $1 AND revision = $2
)sql",
                                  .postgres_batch = R"sql(
    WITH locked AS MATERIALIZED (SELECT id FROM orders WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE)
    UPDATE orders o SET status = t.status, cancel_reason = t.cancel_reason, carrier = t.carrier, tracking_number = t.tracking_number,
                        version = t.version, events_sent = t.events_sent, updated_at = t.updated_at, revision = t.new_revision,
                        cancel_details = t.cancel_details
    FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
                $9::timestamptz[], $10::bigint[], $11::jsonb[])
         AS t(id, revision, status, cancel_reason, carrier, tracking_number, version, events_sent, updated_at, new_revision,
              cancel_details)
    WHERE (SELECT count(*) FROM locked) > 0 AND o.id = t.id AND o.revision = t.revision
)sql",
                                  .single_row_uses_text = true};

// After order.update, which has locked the rows and checked their revisions. Few changes need it:
// most are of the status.
constexpr sql::Query update_details{.name = "order.update_details",
                                    .text = R"sql(
    UPDATE orders SET shipping_address = $2, delivery_instructions = $3, external_ref = $4, metadata = $5 WHERE id = $1
)sql",
                                    .postgres_batch = R"sql(
    UPDATE orders o SET shipping_address = t.shipping_address, delivery_instructions = t.delivery_instructions,
                        external_ref = t.external_ref, metadata = t.metadata
    FROM unnest($1::uuid[], $2::jsonb[], $3::text[], $4::text[], $5::jsonb[])
         AS t(id, shipping_address, delivery_instructions, external_ref, metadata)
    WHERE o.id = t.id
)sql",
                                    .single_row_uses_text = true};

constexpr sql::Query save_saga{.name = "saga.save",
                               .text = R"sql(
    INSERT INTO saga_instances (id, type, order_id, status, deadline_at, next_attempt_at, due_at, started_at, finished_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (id) DO UPDATE SET status = excluded.status, deadline_at = excluded.deadline_at,
        next_attempt_at = excluded.next_attempt_at, due_at = excluded.due_at, finished_at = excluded.finished_at
)sql",
                               .postgres_batch = R"sql(
    INSERT INTO saga_instances (id, type, order_id, status, deadline_at, next_attempt_at, due_at, started_at, finished_at)
    SELECT unnest($1::uuid[]), unnest($2::text[]), unnest($3::uuid[]), unnest($4::text[]), unnest($5::timestamptz[]),
           unnest($6::timestamptz[]), unnest($7::timestamptz[]), unnest($8::timestamptz[]), unnest($9::timestamptz[])
    ON CONFLICT (id) DO UPDATE SET status = excluded.status, deadline_at = excluded.deadline_at,
        next_attempt_at = excluded.next_attempt_at, due_at = excluded.due_at, finished_at = excluded.finished_at
)sql",
                               .single_row_uses_text = true};

constexpr sql::Query save_step{.name = "saga.save_step",
                               .text = R"sql(
    INSERT INTO saga_steps (saga_id, step, name, status, attempts, started_at, finished_at, last_error)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (saga_id, step) DO UPDATE SET status = excluded.status, attempts = excluded.attempts,
        started_at = excluded.started_at, finished_at = excluded.finished_at, last_error = excluded.last_error
)sql",
                               .postgres_batch = R"sql(
    INSERT INTO saga_steps (saga_id, step, name, status, attempts, started_at, finished_at, last_error)
    SELECT unnest($1::uuid[]), unnest($2::bigint[]), unnest($3::text[]), unnest($4::text[]), unnest($5::bigint[]),
           unnest($6::timestamptz[]), unnest($7::timestamptz[]), unnest($8::text[])
    ON CONFLICT (saga_id, step) DO UPDATE SET status = excluded.status, attempts = excluded.attempts,
        started_at = excluded.started_at, finished_at = excluded.finished_at, last_error = excluded.last_error
)sql",
                               .single_row_uses_text = true};

// A new order's saga and steps cannot exist already. A plain INSERT costs less than one with ON
// CONFLICT.
constexpr sql::Query insert_saga{.name = "saga.insert",
                                 .text = R"sql(
    INSERT INTO saga_instances (id, type, order_id, status, deadline_at, next_attempt_at, due_at, started_at, finished_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
)sql",
                                 .postgres_batch = R"sql(
    INSERT INTO saga_instances (id, type, order_id, status, deadline_at, next_attempt_at, due_at, started_at, finished_at)
    SELECT unnest($1::uuid[]), unnest($2::text[]), unnest($3::uuid[]), unnest($4::text[]), unnest($5::timestamptz[]),
           unnest($6::timestamptz[]), unnest($7::timestamptz[]), unnest($8::timestamptz[]), unnest($9::timestamptz[])
)sql",
                                 .single_row_uses_text = true};

constexpr sql::Query insert_step{.name = "saga.insert_step",
                                 .text = R"sql(
    INSERT INTO saga_steps (saga_id, step, name, status, attempts, started_at, finished_at, last_error)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
)sql",
                                 .postgres_batch = R"sql(
    INSERT INTO saga_steps (saga_id, step, name, status, attempts, started_at, finished_at, last_error)
    SELECT unnest($1::uuid[]), unnest($2::bigint[]), unnest($3::text[]), unnest($4::text[]), unnest($5::bigint[]),
           unnest($6::timestamptz[]), unnest($7::timestamptz[]), unnest($8::text[])
)sql",
                                 .single_row_uses_text = true};

constexpr sql::Query insert_history{.name = "order.insert_history",
                                    .text = R"sql(
    INSERT INTO order_history (order_id, revision, version, type, status, sequence, event_id, payload, actor, correlation_id,
                               causation_id, occurred_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
)sql",
                                    .postgres_batch = R"sql(
    INSERT INTO order_history (order_id, revision, version, type, status, sequence, event_id, payload, actor, correlation_id,
                               causation_id, occurred_at)
    SELECT unnest($1::uuid[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::text[]), unnest($5::text[]),
           unnest($6::bigint[]), unnest($7::uuid[]), unnest($8::jsonb[]), unnest($9::text[]), unnest($10::text[]),
           unnest($11::text[]), unnest($12::timestamptz[])
)sql",
                                    .single_row_uses_text = true};

sql::Json address_column(const domain::Address& address) {
    sql::Json column;
    json::Writer out(column.text);
    write_address(out, address);
    return column;
}

sql::Value shortages_column(const std::vector<domain::Shortage>& shortages) {
    if (shortages.empty()) return {};
    sql::Json column;
    json::Writer out(column.text);
    write_shortages(out, shortages);
    return column;
}

bool is_heard(const domain::RecordedEvent& entry) {
    return rule_of(entry.event).heard_as != domain::PublicEvent::none;
}

std::int64_t events_sent_after(const domain::OrderAggregate& record) {
    return record.events_sent + std::ranges::count_if(record.events, is_heard);
}

std::int64_t revision_after(const OrderToSave& saved) {
    const auto events = static_cast<std::int64_t>(saved.record.events.size());
    return saved.revision + std::max<std::int64_t>(1, events);
}

sql::Value metadata_column(const domain::Order& order) {
    const auto& metadata = order.terms.metadata;
    return metadata ? sql::Value(sql::Json{*metadata}) : sql::Value();
}

sql::Value adjustments_column(const std::vector<domain::Adjustment>& adjustments) {
    if (adjustments.empty()) return {};
    sql::Json column;
    json::Writer out(column.text);
    write_adjustments(out, adjustments);
    return column;
}

std::optional<std::int64_t> adjustment_amount(const std::vector<domain::Adjustment>& adjustments) {
    if (adjustments.empty()) return std::nullopt;
    std::int64_t sum = 0;
    for (const domain::Adjustment& adjustment : adjustments) sum += adjustment.amount_minor;
    return sum;
}

bool has_other_details(const domain::OrderAggregate& record) {
    return std::ranges::any_of(record.events, [](const domain::RecordedEvent& entry) {
        return std::holds_alternative<domain::OrderDetailsChanged>(entry.event) ||
               std::holds_alternative<domain::PersonalDataErased>(entry.event);
    });
}

sql::Params order_params(const domain::OrderAggregate& record) {
    const domain::Order& order = record.order;
    return {order.id,
            order.terms.customer.text,
            name_of(order.status),
            order.terms.currency,
            order.total_amount_minor(),
            order.terms.shipping_amount_minor,
            address_column(order.terms.shipping_address),
            order.terms.delivery_instructions,
            order.terms.external_ref,
            metadata_column(order),
            order.version,
            events_sent_after(record),
            order.created_at,
            order.updated_at,
            adjustments_column(order.terms.adjustments),
            adjustment_amount(order.terms.adjustments)};
}

void add_saga(const domain::Saga& saga, domain::OrderId order, std::vector<sql::Params>& sagas,
              std::vector<sql::Params>& steps) {
    sagas.push_back({saga.id, name_of(saga.type), order, name_of(saga.status), saga.deadline_at,
                     saga.next_attempt_at, saga.due_at(), saga.started_at, saga.finished_at});
    std::int64_t number = 0;
    for (const domain::SagaStep& step : saga.steps) {
        steps.push_back({saga.id, ++number, step.name, name_of(step.status), step.attempts,
                         step.started_at, step.finished_at, step.last_error});
    }
}

void save_sagas(sql::Transaction& tx, std::span<const OrderToSave> orders) {
    std::vector<sql::Params> sagas;
    std::vector<sql::Params> steps;
    for (const OrderToSave& saved : orders) {
        for (const domain::Saga& saga : saved.record.sagas) {
            const bool as_it_was =
                std::ranges::find(saved.sagas_before, saga) != saved.sagas_before.end();
            if (!as_it_was) add_saga(saga, saved.record.order.id, sagas, steps);
        }
    }
    const bool is_new = !orders.empty() && orders.front().revision == 0;
    tx.add_batch(is_new ? insert_saga : save_saga, std::move(sagas));
    tx.add_batch(is_new ? insert_step : save_step, std::move(steps));
}

// The data of an event, for the types that have some. It names no person and no place.
sql::Value history_payload(const domain::Event& event) {
    sql::Json payload;
    json::Writer out(payload.text);
    const auto write_changed = [&out](const std::vector<std::string_view>& names) {
        out.begin_object().name("changed").begin_array();
        for (const std::string_view name : names) out.value(name);
        out.end_array().end_object();
    };
    if (const auto* const cancelled = std::get_if<domain::OrderCancelled>(&event)) {
        out.begin_object().member("reason", cancelled->reason);
        if (!cancelled->details.empty())
            write_shortages(out.name("cancelDetails"), cancelled->details);
        out.end_object();
    } else if (const auto* const changed = std::get_if<domain::OrderDetailsChanged>(&event)) {
        write_changed(changed->changed);
    } else if (const auto* const corrected = std::get_if<domain::ShipmentCorrected>(&event)) {
        write_changed(corrected->changed);
    } else if (const auto* const erased = std::get_if<domain::PersonalDataErased>(&event)) {
        write_changed(erased->changed);
    } else {
        return {};
    }
    return payload;
}

// `sequence` is that of the public event; 0 when there is none.
sql::Params history_params(const OrderToSave& saved, std::size_t index, std::int64_t sequence) {
    const domain::RecordedEvent& entry = saved.record.events[index];
    const Trace& trace = entry.trace;
    // Most events are caused by the request that began the conversation.
    const bool has_own_cause = trace.causation_id != trace.correlation_id;
    return {saved.record.order.id,
            saved.revision + static_cast<std::int64_t>(index) + 1,
            entry.version,
            rule_of(entry.event).name,
            name_of(entry.after),
            sequence > 0 ? sql::Value(sequence) : sql::Value(),
            sequence > 0 ? sql::Value(saved.event_ids[index]) : sql::Value(),
            history_payload(entry.event),
            entry.actor,
            trace.correlation_id,
            has_own_cause ? sql::Value(trace.causation_id) : sql::Value(),
            entry.at};
}

}  // namespace

void insert_orders(sql::Transaction& tx, std::span<const OrderToSave> orders) {
    std::vector<sql::Params> rows;
    std::vector<sql::Params> items;
    rows.reserve(orders.size());
    for (const OrderToSave& saved : orders) {
        rows.push_back(order_params(saved.record));
        std::int64_t number = 0;
        for (const domain::Line& line : saved.record.order.terms.items) {
            items.push_back({saved.record.order.id, ++number, line.sku, line.name, line.quantity,
                             line.unit_amount_minor, line.is_tracked});
        }
    }
    tx.add_batch(insert_order, std::move(rows));
    tx.add_batch(insert_item, std::move(items));
}

sql::Statement& update_orders(sql::Transaction& tx, std::span<const OrderToSave> orders) {
    std::vector<sql::Params> rows;
    std::vector<sql::Params> details;
    rows.reserve(orders.size());
    for (const OrderToSave& saved : orders) {
        const domain::Order& order = saved.record.order;
        const domain::Shipment shipment = order.shipment.value_or(domain::Shipment{});
        if (has_other_details(saved.record)) {
            details.push_back({order.id, address_column(order.terms.shipping_address),
                               order.terms.delivery_instructions, order.terms.external_ref,
                               metadata_column(order)});
        }
        rows.push_back({order.id, saved.revision, name_of(order.status), order.cancel_reason,
                        shipment.carrier, shipment.tracking_number, order.version,
                        events_sent_after(saved.record), order.updated_at, revision_after(saved),
                        shortages_column(order.cancel_details)});
    }
    sql::Statement& updated = tx.add_batch(update_order, std::move(rows));
    tx.add_batch(update_details, std::move(details));
    return updated;
}

void save_sagas_history_and_events(sql::Transaction& tx, std::span<const OrderToSave> orders) {
    save_sagas(tx, orders);
    std::vector<sql::Params> history;
    std::vector<outbox::Event> events;
    for (const OrderToSave& saved : orders) {
        const domain::OrderAggregate& record = saved.record;
        std::int64_t sequence = record.events_sent;
        for (std::size_t i = 0; i < record.events.size(); ++i) {
            const bool heard = is_heard(record.events[i]);
            if (heard) {
                events.push_back(
                    to_event(record.order, record.events[i], saved.event_ids[i], ++sequence));
            }
            history.push_back(history_params(saved, i, heard ? sequence : 0));
        }
    }
    tx.add_batch(insert_history, std::move(history));
    outbox::append(tx, events);
}

}  // namespace trackops::order::adapters
