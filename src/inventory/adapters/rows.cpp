#include "inventory/adapters/rows.hpp"

#include <stdexcept>

#include "inventory/adapters/reservation_state_names.hpp"
#include "platform/json/object_reader.hpp"
#include "platform/json/reader.hpp"
#include "platform/json/writer.hpp"

namespace trackops::inventory::adapters {

namespace {

constexpr sql::Query insert_movement{.name = "movement.insert",
                                     .text = R"sql(
    INSERT INTO stock_movements (sku, delta, on_hand_after, reason, order_id, created_at)
    VALUES ($1, $2, $3, $4, $5, $6)
)sql",
                                     .postgres_batch = R"sql(
    INSERT INTO stock_movements (sku, delta, on_hand_after, reason, order_id, created_at)
    SELECT unnest($1::text[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::text[]), unnest($5::uuid[]),
           unnest($6::timestamptz[])
)sql",
                                     .single_row_uses_text = true};

std::string json_of(const std::vector<domain::Shortage>& shortages) {
    std::string text;
    json::Writer writer(text);
    writer.begin_array();
    for (const domain::Shortage& shortage : shortages) {
        writer.begin_object()
            .member("sku", shortage.sku)
            .member("requested", shortage.requested)
            .member("available", shortage.available)
            .member("reason", name_of(shortage.reason))
            .end_object();
    }
    writer.end_array();
    return text;
}

std::vector<domain::Shortage> shortages_of(const std::string& text) {
    const auto document = json::Document::parse(text);
    if (!document) throw std::logic_error("shortages that are no JSON");
    std::vector<domain::Shortage> shortages;
    std::vector<FieldError> faults;
    document->root().each_element([&](std::size_t, json::Value element) {
        json::ObjectReader fields(element, "", faults);
        shortages.push_back(
            {fields.text("sku", {}), fields.integer("requested", {}),
             fields.integer("available", {}),
             fields.text("reason", {}) == name_of(domain::ShortageReason::unknown_sku)
                 ? domain::ShortageReason::unknown_sku
                 : domain::ShortageReason::insufficient_stock});
    });
    if (!faults.empty()) throw std::logic_error("shortages that were not written by us");
    return shortages;
}

}  // namespace

domain::Item item_of(const sql::Row& row) {
    domain::Item item{.sku = row.text(0),
                      .name = row.text(1),
                      .description = row.maybe_text(2),
                      .category = row.maybe_text(3),
                      .low_stock_threshold = row.maybe_integer(6),
                      .stock = {row.integer(7), row.integer(8)},
                      .version = row.integer(9),
                      .created_at = row.instant(10),
                      .updated_at = row.instant(11)};
    if (!row.is_null(4)) item.price = domain::Price{row.integer(4), row.text(5)};
    return item;
}

sql::Params params_of(const domain::Item& item) {
    using sql::Value;
    const auto& price = item.price;
    return {item.sku,
            item.name,
            item.description,
            item.category,
            price ? Value(price->unit_amount_minor) : Value(),
            price ? Value(price->currency) : Value(),
            item.low_stock_threshold,
            item.stock.on_hand,
            item.stock.reserved,
            item.version,
            item.created_at,
            item.updated_at};
}

domain::Reservation reservation_of(const sql::Row& row) {
    const auto state = reservation_state_named(row.text(2));
    if (!state) throw std::logic_error("a reservation of no state that we know");
    return {.id = domain::ReservationId(row.uuid(0)),
            .order_id = domain::OrderId(row.maybe_uuid(1).value_or(Uuid{})),
            .state = *state,
            .reason = row.text(3),
            .shortages = shortages_of(row.text(4)),
            .reply_sequence = row.integer(5),
            .created_at = row.instant(6),
            .updated_at = row.instant(7)};
}

sql::Params params_of(const domain::Reservation& reservation) {
    return {reservation.id,
            reservation.order_id,
            name_of(reservation.state),
            reservation.reason,
            sql::Json{json_of(reservation.shortages)},
            reservation.reply_sequence,
            reservation.created_at,
            reservation.updated_at,
            reservation.state == domain::ReservationState::reserved
                ? std::optional(static_cast<std::int64_t>(reservation.lines.size()))
                : std::nullopt};
}

void add_movements(sql::Transaction& tx, const std::vector<NewMovement>& movements, Instant now) {
    std::vector<sql::Params> rows;
    rows.reserve(movements.size());
    for (const auto& [movement, reason, order_id] : movements) {
        rows.push_back(
            {movement.sku, movement.delta, movement.on_hand_after, reason, order_id, now});
    }
    tx.add_batch(insert_movement, std::move(rows));
}

}  // namespace trackops::inventory::adapters
