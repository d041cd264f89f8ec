#include "inventory/adapters/sql_reservation_store.hpp"

#include <map>
#include <set>
#include <utility>

#include "events/encode.hpp"
#include "inventory/adapters/event_mapping.hpp"
#include "inventory/adapters/reservation_metrics.hpp"
#include "inventory/adapters/reservation_state_names.hpp"
#include "inventory/adapters/rows.hpp"
#include "platform/outbox/event.hpp"
#include "platform/sql/batch.hpp"

namespace trackops::inventory::adapters {

namespace {

constexpr std::string_view consumer = "inventory-service";

constexpr sql::Query find_reservations{.name = "reservation.lock",
                                       .text = R"sql(
    SELECT id, order_id, status, reason, shortages, replies, created_at, updated_at
    FROM inventory_reservations WHERE order_id = $1
)sql",
                                       .postgres_batch = R"sql(
    SELECT id, order_id, status, reason, shortages, replies, created_at, updated_at
    FROM inventory_reservations WHERE order_id = ANY($1::uuid[]) ORDER BY order_id FOR UPDATE
)sql"};

// OFFSET 0 makes PostgreSQL look up the lines of each reservation by key, even when its statistics
// are from the time when the tables were empty.
constexpr sql::Query find_lines{.name = "reservation.lines",
                                .text = R"sql(
    SELECT r.order_id, i.sku, i.quantity
    FROM inventory_reservations r JOIN inventory_reservation_items i ON i.reservation_id = r.id
    WHERE r.order_id = $1 ORDER BY i.sku
)sql",
                                .postgres_batch = R"sql(
    SELECT r.order_id, i.sku, i.quantity
    FROM (SELECT id, order_id FROM inventory_reservations WHERE order_id = ANY($1::uuid[]) OFFSET 0) r
    CROSS JOIN LATERAL (
        SELECT sku, quantity FROM inventory_reservation_items WHERE reservation_id = r.id OFFSET 0) i
    ORDER BY i.sku
)sql",
                                .single_row_uses_text = true};

constexpr sql::Query lock_stock{
    .name = "stock.lock",
    .text = "SELECT sku, on_hand, reserved FROM inventory_items WHERE sku = $1",
    .postgres_batch = R"sql(
    SELECT sku, on_hand, reserved FROM inventory_items WHERE sku = ANY($1::text[]) ORDER BY sku FOR UPDATE
)sql"};

constexpr sql::Query change_stock{.name = "stock.change",
                                  .text = R"sql(
    UPDATE inventory_items
    SET on_hand = on_hand + $2, reserved = reserved + $3, version = version + 1, updated_at = $4
    WHERE sku = $1
)sql",
                                  .postgres_batch = R"sql(
    UPDATE inventory_items i
    SET on_hand = i.on_hand + d.on_hand, reserved = i.reserved + d.reserved, version = i.version + 1,
        updated_at = d.updated_at
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::timestamptz[]) d(sku, on_hand, reserved, updated_at)
    WHERE i.sku = d.sku
)sql",
                                  .single_row_uses_text = true};

constexpr sql::Query insert_reservation{.name = "reservation.insert",
                                        .text = R"sql(
    INSERT INTO inventory_reservations (id, order_id, status, reason, shortages, replies, created_at, updated_at, sku_count)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
)sql",
                                        .postgres_batch = R"sql(
    INSERT INTO inventory_reservations (id, order_id, status, reason, shortages, replies, created_at, updated_at, sku_count)
    SELECT unnest($1::uuid[]), unnest($2::uuid[]), unnest($3::text[]), unnest($4::text[]), unnest($5::jsonb[]),
           unnest($6::bigint[]), unnest($7::timestamptz[]), unnest($8::timestamptz[]), unnest($9::bigint[])
)sql",
                                        .single_row_uses_text = true};

constexpr sql::Query update_reservation{.name = "reservation.update",
                                        .text = R"sql(
    UPDATE inventory_reservations SET status = $2, reason = $3, replies = $4, updated_at = $5 WHERE id = $1
)sql",
                                        .postgres_batch = R"sql(
    UPDATE inventory_reservations r
    SET status = d.status, reason = d.reason, replies = d.replies, updated_at = d.updated_at
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[])
        d(id, status, reason, replies, updated_at)
    WHERE r.id = d.id
)sql",
                                        .single_row_uses_text = true};

constexpr sql::Query insert_line{.name = "reservation.insert_line",
                                 .text =
                                     "INSERT INTO inventory_reservation_items (reservation_id, "
                                     "sku, quantity) VALUES ($1, $2, $3)",
                                 .postgres_batch = R"sql(
    INSERT INTO inventory_reservation_items (reservation_id, sku, quantity)
    SELECT unnest($1::uuid[]), unnest($2::text[]), unnest($3::bigint[])
)sql",
                                 .single_row_uses_text = true};

// The state of one run of handle_once(): what was read and what was decided.
struct HandleAttempt {
    std::set<Uuid> claimed_now;
    std::map<domain::OrderId, domain::Reservation> read;  // the reservations before the batch
    std::map<domain::OrderId, domain::Reservation> reservations;
    domain::StockLevels stock_levels_read;
    domain::StockLevels stock_levels;
    std::vector<outbox::Event> replies;
    std::vector<NewMovement> movements;
    ReservationOutcomes outcomes{};
};

void claim_and_read(sql::Transaction& tx, std::span<const app::IncomingMessage> messages,
                    HandleAttempt& attempt, Instant now) {
    std::set<outbox::Claim> wanted;
    std::set<domain::OrderId> orders;
    for (const app::IncomingMessage& incoming : messages) {
        wanted.insert({incoming.id, std::string(consumer)});
        orders.insert(incoming.message.order_id);
    }
    const std::vector<outbox::Claim> claims(wanted.begin(), wanted.end());
    std::vector<sql::Params> keys;
    keys.reserve(orders.size());
    for (const domain::OrderId& order : orders) keys.push_back({order});
    const auto& claimed = outbox::claim(tx, claims, now);
    const auto& rows = tx.add_batch(find_reservations, keys);
    const auto& lines = tx.add_batch(find_lines, std::move(keys));
    tx.flush();
    for (const auto& row : claimed.rows()) attempt.claimed_now.insert(row.uuid(0));
    for (const auto& row : rows.rows()) {
        domain::Reservation reservation = reservation_of(row);
        attempt.read.emplace(reservation.order_id, std::move(reservation));
    }
    for (const auto& row : lines.rows()) {
        const auto found = attempt.read.find(domain::OrderId(row.uuid(0)));
        // Another transaction has inserted the reservation between the two statements. The insert
        // of a reservation for this order then conflicts, and the batch runs again.
        if (found != attempt.read.end())
            found->second.lines.push_back({row.text(1), row.integer(2)});
    }
    attempt.reservations = attempt.read;
    for (const domain::OrderId& order : orders) attempt.reservations.try_emplace(order);
}

void lock_stock_levels(sql::Transaction& tx, std::span<const app::IncomingMessage> messages,
                       HandleAttempt& attempt) {
    std::set<std::string_view> skus;
    for (const auto& [id, message, trace] : messages) {
        const domain::Reservation& reservation = attempt.reservations.at(message.order_id);
        const bool arrives = reservation.state == domain::ReservationState::absent;
        if (!arrives && has_no_effect(reservation.state, message.command)) continue;
        for (const domain::Line& line : arrives ? message.lines : reservation.lines)
            skus.insert(line.sku);
    }
    if (skus.empty()) return;
    std::vector<sql::Params> keys;
    keys.reserve(skus.size());
    for (const std::string_view sku : skus) keys.push_back({sku});
    const auto& rows = tx.add_batch(lock_stock, std::move(keys));
    tx.flush();
    for (const auto& row : rows.rows()) {
        attempt.stock_levels.emplace(row.text(0),
                                     domain::StockLevel{row.integer(1), row.integer(2)});
    }
    attempt.stock_levels_read = attempt.stock_levels;
}

app::MessageResult decide_one(const app::IncomingMessage& incoming,
                              const app::ReservationStore::Decide& decide, HandleAttempt& attempt,
                              Instant now) {
    const auto& [id, message, trace] = incoming;
    domain::Reservation& reservation = attempt.reservations.at(message.order_id);
    const bool is_new = attempt.claimed_now.erase(id) > 0;  // false for a duplicate in the batch
    if (!is_new && has_no_effect(reservation.state, message.command)) {
        return {decide_redelivery(reservation, message).dead_letter};
    }
    const domain::ReservationState before = reservation.state;
    auto [decision, reply_id] = decide(reservation, attempt.stock_levels, message);
    if (const auto outcome = outcome_of(before, reservation))
        ++attempt.outcomes.at(static_cast<std::size_t>(*outcome));
    for (domain::Movement& movement : decision.movements) {
        attempt.movements.push_back({std::move(movement), "SHIPMENT", message.order_id});
    }
    if (decision.reply) {
        const events::Event event = to_event(message.order_id, *decision.reply);
        attempt.replies.push_back({.id = reply_id,
                                   .type = std::string(events::type_of(event)),
                                   .key = message.order_id.uuid,
                                   .sequence = ++reservation.reply_sequence,
                                   .payload = events::encode(event),
                                   .occurred_at = now,
                                   .correlation_id = trace.correlation_id,
                                   .causation_id = trace.causation_id,
                                   .traceparent = trace.traceparent,
                                   .tracestate = trace.tracestate});
    }
    return {std::move(decision.dead_letter)};
}

// Saves one net change for each SKU, in the order of the SKUs.
void save_stock(sql::Transaction& tx, const HandleAttempt& attempt, Instant now) {
    std::vector<sql::Params> changes;
    for (const auto& [sku, stock] : attempt.stock_levels) {
        const domain::StockLevel& before = attempt.stock_levels_read.find(sku)->second;
        if (stock == before) continue;
        changes.push_back(
            {sku, stock.on_hand - before.on_hand, stock.reserved - before.reserved, now});
    }
    tx.add_batch(change_stock, std::move(changes));
}

void save_reservations(sql::Transaction& tx, const HandleAttempt& attempt) {
    std::vector<sql::Params> fresh;
    std::vector<sql::Params> lines;
    std::vector<sql::Params> changed;
    for (const auto& [order, reservation] : attempt.reservations) {
        const auto before = attempt.read.find(order);
        if (before == attempt.read.end()) {
            if (reservation.state == domain::ReservationState::absent) continue;
            fresh.push_back(params_of(reservation));
            for (const domain::Line& line : reservation.lines) {
                lines.push_back({reservation.id, line.sku, line.quantity});
            }
        } else if (reservation != before->second) {
            changed.push_back({reservation.id, name_of(reservation.state), reservation.reason,
                               reservation.reply_sequence, reservation.updated_at});
        }
    }
    tx.add_batch(insert_reservation, std::move(fresh));
    tx.add_batch(insert_line, std::move(lines));
    tx.add_batch(update_reservation, std::move(changed));
}

std::vector<Result<app::MessageResult>> handle_once(sql::Database& database,
                                                    std::span<const app::IncomingMessage> messages,
                                                    const app::ReservationStore::Decide& decide,
                                                    Instant now, ReservationMetrics& metrics) {
    HandleAttempt attempt;
    const auto tx = database.begin(sql::Access::write);
    claim_and_read(*tx, messages, attempt, now);
    lock_stock_levels(*tx, messages, attempt);
    std::vector<Result<app::MessageResult>> answers;
    answers.reserve(messages.size());
    for (const app::IncomingMessage& incoming : messages) {
        answers.emplace_back(decide_one(incoming, decide, attempt, now));
    }
    save_stock(*tx, attempt, now);
    save_reservations(*tx, attempt);
    add_movements(*tx, attempt.movements, now);
    outbox::append(*tx, attempt.replies);
    // Another consumer may have created a reservation of one of these orders, for another message.
    sql::or_conflict([&] { tx->commit(); });
    metrics.add(attempt.outcomes);
    return answers;
}

class SqlReservationStore final : public app::ReservationStore {
public:
    SqlReservationStore(sql::Database& database, telemetry::Registry& metrics)
        : database_(database), metrics_(metrics) {}

    std::vector<Result<app::MessageResult>> handle(std::span<const app::IncomingMessage> messages,
                                                   const Decide& decide, Instant now) override {
        return sql::run_batch<app::IncomingMessage, app::MessageResult>(
            database_, messages, [&](std::span<const app::IncomingMessage> part) {
                return handle_once(database_, part, decide, now, metrics_);
            });
    }

private:
    sql::Database& database_;
    ReservationMetrics metrics_;
};

}  // namespace

std::unique_ptr<app::ReservationStore> make_reservation_store(sql::Database& database,
                                                              telemetry::Registry& metrics) {
    return std::make_unique<SqlReservationStore>(database, metrics);
}

}  // namespace trackops::inventory::adapters
