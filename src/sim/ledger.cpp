#include "sim/ledger.hpp"

namespace trackops::sim {
namespace {

std::vector<EventRow> events_of(const sql::Statement& found) {
    std::vector<EventRow> events;
    for (const sql::Row& row : found.rows())
        events.push_back(
            {row.uuid(0), row.uuid(1), row.text(2), row.integer(3), row.text(4), row.text(5)});
    return events;
}

constexpr sql::Query all_events{.name = "books.events", .text = R"sql(
    SELECT event_id, aggregate_id, type, sequence, causation_id, correlation_id
    FROM outbox_events ORDER BY position
)sql"};

void read_orders(sql::Database& database, Ledger& ledger) {
    const auto tx = database.begin(sql::Access::read);
    const auto& orders = tx->add({"books.orders", R"sql(
        SELECT id, status, version, events_sent, coalesce(external_ref, ''), coalesce(cancel_reason, ''),
               revision, coalesce(delivery_instructions, ''), coalesce(tracking_number, ''), shipping_address
        FROM orders
    )sql"},
                                 {});
    const auto& items = tx->add(
        {"books.items", "SELECT order_id, sku, quantity FROM order_items WHERE tracked"}, {});
    const auto& sagas =
        tx->add({"books.sagas", "SELECT order_id, type, status FROM saga_instances"}, {});
    const auto& history = tx->add({"books.history", R"sql(
        SELECT order_id, revision, version, type, status, coalesce(sequence, 0), event_id,
               coalesce(causation_id, correlation_id), correlation_id
        FROM order_history ORDER BY order_id, revision
    )sql"},
                                  {});
    const auto& events = tx->add(all_events, {});
    const auto& inbox = tx->add({"books.order_inbox", R"sql(
        SELECT event_id, consumer FROM processed_events WHERE consumer <> 'order-api'
    )sql"},
                                {});
    tx->commit();
    for (const sql::Row& row : orders.rows()) {
        ledger.orders[row.uuid(0)] = {
            row.text(1), row.integer(2), row.integer(6), row.integer(3), row.text(4),
            row.text(5), row.text(7),    row.text(8),    row.text(9),    {}};
    }
    for (const sql::Row& row : items.rows())
        ledger.orders[row.uuid(0)].lines[row.text(1)] += row.integer(2);
    for (const sql::Row& row : sagas.rows())
        ledger.sagas.push_back({row.uuid(0), row.text(1), row.text(2)});
    for (const sql::Row& row : history.rows()) {
        ledger.history.push_back({row.uuid(0), row.integer(1), row.integer(2), row.text(3),
                                  row.text(4), row.integer(5), row.maybe_uuid(6), row.text(7),
                                  row.text(8)});
    }
    ledger.order_events = events_of(events);
    for (const sql::Row& row : inbox.rows()) {
        if (row.text(1) == "saga-clock")
            ledger.saga_causes.insert(row.uuid(0).text());
        else
            ledger.handled_by_orders.insert(row.uuid(0));
    }
}

void read_customers(sql::Database& database, Ledger& ledger) {
    const auto tx = database.begin(sql::Access::read);
    const auto& customers =
        tx->add({"books.customers", "SELECT id, coalesce(name, ''), version FROM customers"}, {});
    const auto& addresses = tx->add(
        {"books.addresses", "SELECT customer_id, id, line1, is_default FROM addresses"}, {});
    const auto& recorded =
        tx->add({"books.recorded",
                 "SELECT body FROM idempotency_keys WHERE idempotency_key LIKE 'registrar-%'"},
                {});
    tx->commit();
    for (const sql::Row& row : recorded.rows()) ledger.recorded_bodies.push_back(row.text(0));
    for (const sql::Row& row : customers.rows())
        ledger.customers[row.text(0)] = {row.text(1), row.integer(2), {}};
    for (const sql::Row& row : addresses.rows()) {
        ledger.customers[row.text(0)].addresses[row.uuid(1).text()] = {row.text(2), row.boolean(3)};
    }
}

void read_stock(sql::Database& database, Ledger& ledger) {
    const auto tx = database.begin(sql::Access::read);
    const auto& items =
        tx->add({"books.stock", "SELECT sku, on_hand, reserved FROM inventory_items"}, {});
    const auto& reservations = tx->add(
        {"books.reservations", "SELECT order_id, status, replies FROM inventory_reservations"}, {});
    const auto& lines = tx->add({"books.lines", R"sql(
        SELECT r.order_id, l.sku, l.quantity
        FROM inventory_reservations r JOIN inventory_reservation_items l ON l.reservation_id = r.id
    )sql"},
                                {});
    const auto& movements = tx->add({"books.movements", R"sql(
        SELECT sku, delta, on_hand_after, reason, order_id FROM stock_movements ORDER BY position
    )sql"},
                                    {});
    const auto& events = tx->add(all_events, {});
    const auto& inbox = tx->add({"books.stock_inbox", R"sql(
        SELECT event_id FROM processed_events WHERE consumer = 'inventory-service'
    )sql"},
                                {});
    tx->commit();
    for (const sql::Row& row : items.rows())
        ledger.stock[row.text(0)] = {row.integer(1), row.integer(2)};
    for (const sql::Row& row : reservations.rows())
        ledger.reservations[row.uuid(0)] = {row.text(1), row.integer(2), {}};
    for (const sql::Row& row : lines.rows())
        ledger.reservations[row.uuid(0)].lines[row.text(1)] += row.integer(2);
    for (const sql::Row& row : movements.rows()) {
        ledger.movements.push_back(
            {row.text(0), row.integer(1), row.integer(2), row.text(3), row.maybe_uuid(4)});
    }
    ledger.stock_events = events_of(events);
    for (const sql::Row& row : inbox.rows()) ledger.handled_by_stock.insert(row.uuid(0));
}

}  // namespace

Ledger read_ledger(sql::Database& orders, sql::Database& stock) {
    Ledger ledger;
    read_orders(orders, ledger);
    read_customers(orders, ledger);
    read_stock(stock, ledger);
    return ledger;
}

std::vector<ParkedRow> read_parked(sql::Database& database) {
    const auto tx = database.begin(sql::Access::read);
    const auto& found = tx->add(
        {"books.parked", "SELECT event_id, reason FROM relay_parked_events ORDER BY position"}, {});
    tx->commit();
    std::vector<ParkedRow> parked;
    for (const sql::Row& row : found.rows()) parked.push_back({row.uuid(0), row.text(1)});
    return parked;
}

void read_order_statuses(sql::Database& orders, CurrentStatuses& into) {
    const auto tx = orders.begin(sql::Access::read);
    const auto& statuses = tx->add({"step.orders", "SELECT id, status FROM orders"}, {});
    const auto& sagas =
        tx->add({"step.sagas", "SELECT order_id, type, status FROM saga_instances"}, {});
    tx->commit();
    for (const sql::Row& row : statuses.rows()) into.orders[row.uuid(0)] = row.text(1);
    into.sagas.clear();
    for (const sql::Row& row : sagas.rows())
        into.sagas.push_back({row.uuid(0), row.text(1), row.text(2)});
}

void read_reservation_statuses(sql::Database& stock, CurrentStatuses& into) {
    const auto tx = stock.begin(sql::Access::read);
    const auto& statuses =
        tx->add({"step.reservations", "SELECT order_id, status FROM inventory_reservations"}, {});
    tx->commit();
    for (const sql::Row& row : statuses.rows()) into.reservations[row.uuid(0)] = row.text(1);
}

std::vector<std::string> inconsistent_skus(sql::Database& stock) {
    const auto tx = stock.begin(sql::Access::read);
    const auto& found = tx->add({"step.stock", R"sql(
        SELECT sku FROM inventory_items AS item
        WHERE reserved < 0 OR reserved > on_hand
           OR reserved <> (SELECT coalesce(sum(line.quantity), 0)
                           FROM inventory_reservation_items AS line
                           JOIN inventory_reservations AS held ON held.id = line.reservation_id
                           WHERE line.sku = item.sku AND held.status = 'RESERVED')
           OR on_hand <> (SELECT coalesce(sum(delta), 0) FROM stock_movements AS moved
                          WHERE moved.sku = item.sku)
    )sql"},
                                {});
    tx->commit();
    std::vector<std::string> skus;
    for (const sql::Row& row : found.rows()) skus.push_back(row.text(0));
    return skus;
}

}  // namespace trackops::sim
