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
                        external_ref, metadata, version, revision, events_sent, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $13, $14)
)sql",
                                  .postgres_batch = R"sql(
    INSERT INTO orders (id, customer_id, status, currency, total_amount, shipping_amount, shipping_address, delivery_instructions,
                        external_ref, metadata, version, revision, events_sent, created_at, updated_at)
    SELECT id, customer_id, status, currency, total_amount, shipping_amount, shipping_address, delivery_instructions,
           external_ref, metadata, version, 1, events_sent, created_at, updated_at
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::jsonb[], $8::text[], $9::text[],
                $10::jsonb[], $11::bigint[], $12::bigint[], $13::timestamptz[], $14::timestamptz[])
         AS t(id, customer_id, status, currency, total_amount, shipping_amount, shipping_address, delivery_instructions,
              external_ref, metadata, version, events_sent, created_at, updated_at)
)sql",
                                  .single_row_uses_text = true};

constexpr sql::Query insert_item{.name = "order.insert_item",
                                 .text = R"sql(
    INSERT INTO order_items (order_id, line, sku, name, quantity, unit_amount) VALUES ($1, $2, $3, $4, $5, $6)
)sql",
                                 .postgres_batch = R"sql(
    INSERT INTO order_items (order_id, line, sku, name, quantity, unit_amount)
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
)sql",
                                 .single_row_uses_text = true};

// The batch locks the rows in the order of their ids before it updates the first one, whatever plan
// the update takes: the count of the locked rows is evaluated first. The update does not join the
// locked rows, because the planner expects one row from unnest() and would scan all locked rows for
// each order.
constexpr sql::Query update_order{.name = "order.update",
                                  .text = R"sql(
    UPDATE orders SET status = $3, cancel_reason = $4, carrier = $5, tracking_number = $6, version = $7, revision = revision + 1,
                      events_sent = $8, updated_at = $9
    WHERE id = $1 AND revision = $2
)sql",
                                  .postgres_batch = R"sql(
    WITH locked AS MATERIALIZED (SELECT id FROM orders WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE)
    UPDATE orders o SET status = t.status, cancel_reason = t.cancel_reason, carrier = t.carrier, tracking_number = t.tracking_number,
                        version = t.version, revision = o.revision + 1, events_sent = t.events_sent, updated_at = t.updated_at
    FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
                $9::timestamptz[])
         AS t(id, revision, status, cancel_reason, carrier, tracking_number, version, events_sent, updated_at)
    WHERE (SELECT count(*) FROM locked) > 0 AND o.id = t.id AND o.revision = t.revision
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
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[],
                         $8::timestamptz[], $9::timestamptz[])
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
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[], $7::timestamptz[],
                         $8::text[])
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
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[],
                         $8::timestamptz[], $9::timestamptz[])
)sql",
                                 .single_row_uses_text = true};

constexpr sql::Query insert_step{.name = "saga.insert_step",
                                 .text = R"sql(
    INSERT INTO saga_steps (saga_id, step, name, status, attempts, started_at, finished_at, last_error)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
)sql",
                                 .postgres_batch = R"sql(
    INSERT INTO saga_steps (saga_id, step, name, status, attempts, started_at, finished_at, last_error)
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[], $7::timestamptz[],
                         $8::text[])
)sql",
                                 .single_row_uses_text = true};

constexpr sql::Query insert_history{.name = "order.insert_history",
                                    .text = R"sql(
    INSERT INTO order_history (order_id, version, from_status, to_status, reason, actor, cause, event_id, occurred_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
)sql",
                                    .postgres_batch = R"sql(
    INSERT INTO order_history (order_id, version, from_status, to_status, reason, actor, cause, event_id, occurred_at)
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::uuid[],
                         $9::timestamptz[])
)sql",
                                    .single_row_uses_text = true};

sql::Json address_column(const domain::Address& address) {
    sql::Json column;
    json::Writer out(column.text);
    write_address(out, address);
    return column;
}

sql::Params order_params(const domain::OrderAggregate& record) {
    const domain::Order& order = record.order;
    const auto& metadata = order.terms.metadata;
    return {order.id,
            order.terms.customer,
            name_of(order.status),
            order.terms.currency,
            order.total_amount_minor(),
            order.terms.shipping_amount_minor,
            address_column(order.terms.shipping_address),
            order.terms.delivery_instructions,
            order.terms.external_ref,
            metadata ? sql::Value(sql::Json{*metadata}) : sql::Value(),
            order.version,
            record.events_sent + static_cast<std::int64_t>(record.new_events.size()),
            order.created_at,
            order.updated_at};
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

// Returns the id of the event that announces the change: the first new event with its version and
// status. A later one is a repetition.
Uuid event_of(const OrderToSave& saved, const domain::StatusChange& change) {
    const auto& new_events = saved.record.new_events;
    const auto found = std::ranges::find_if(new_events, [&](const domain::OrderEvent& notice) {
        return notice.change.version == change.version && notice.change.to == change.to;
    });
    return saved.event_ids[static_cast<std::size_t>(found - new_events.begin())];
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
                             line.unit_amount_minor});
        }
    }
    tx.add_batch(insert_order, std::move(rows));
    tx.add_batch(insert_item, std::move(items));
}

sql::Statement& update_orders(sql::Transaction& tx, std::span<const OrderToSave> orders) {
    std::vector<sql::Params> rows;
    rows.reserve(orders.size());
    for (const OrderToSave& saved : orders) {
        const domain::Order& order = saved.record.order;
        const domain::Shipment shipment = order.shipment.value_or(domain::Shipment{});
        rows.push_back(
            {order.id, saved.revision, name_of(order.status), order.cancel_reason, shipment.carrier,
             shipment.tracking_number, order.version,
             saved.record.events_sent + static_cast<std::int64_t>(saved.record.new_events.size()),
             order.updated_at});
    }
    return tx.add_batch(update_order, std::move(rows));
}

void save_sagas_history_and_events(sql::Transaction& tx, std::span<const OrderToSave> orders) {
    save_sagas(tx, orders);
    std::vector<sql::Params> history;
    std::vector<outbox::Event> events;
    for (const OrderToSave& saved : orders) {
        const domain::OrderAggregate& record = saved.record;
        for (std::size_t i = 0; i < record.changes.size(); ++i) {
            const domain::StatusChange& change = record.changes[i];
            const auto from =
                change.from ? std::optional(std::string(name_of(*change.from))) : std::nullopt;
            history.push_back({record.order.id, change.version, from, name_of(change.to),
                               change.reason, change.actor, saved.causes[i],
                               event_of(saved, change), change.at});
        }
        for (std::size_t i = 0; i < record.new_events.size(); ++i) {
            const std::int64_t sequence = record.events_sent + static_cast<std::int64_t>(i) + 1;
            events.push_back(
                to_event(record.order, record.new_events[i], saved.event_ids[i], sequence));
        }
    }
    tx.add_batch(insert_history, std::move(history));
    outbox::append(tx, events);
}

}  // namespace trackops::order::adapters
