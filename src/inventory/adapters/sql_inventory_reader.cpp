#include "inventory/adapters/sql_inventory_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "inventory/adapters/reservation_state_names.hpp"
#include "inventory/adapters/rows.hpp"
#include "inventory/adapters/search_pattern.hpp"

namespace trackops::inventory::adapters {

namespace {

constexpr sql::Query find_item{.name = "item.find", .text = R"sql(
    SELECT sku, name, description, category, unit_amount, currency, low_stock_threshold, on_hand, reserved, version,
           created_at, updated_at
    FROM inventory_items WHERE sku = $1
)sql"};

// $4 is the pattern of glob_of() and $5 that of regex_of(); both are empty without a search.
constexpr sql::Query list_items{.name = "item.list",
                                .text = R"sql(
    SELECT sku, name, description, category, unit_amount, currency, low_stock_threshold, on_hand, reserved, version,
           created_at, updated_at
    FROM inventory_items
    WHERE sku > $1 AND ($2 = '' OR category = $2) AND (NOT $3 OR on_hand - reserved <= coalesce(low_stock_threshold, $7))
      AND ($5 = '' OR sku GLOB $4 OR name GLOB $4)
    ORDER BY sku LIMIT $6
)sql",
                                .postgres = R"sql(
    SELECT sku, name, description, category, unit_amount, currency, low_stock_threshold, on_hand, reserved, version,
           created_at, updated_at
    FROM inventory_items
    WHERE sku > $1 AND ($2 = '' OR category = $2) AND (NOT $3 OR on_hand - reserved <= coalesce(low_stock_threshold, $7))
      AND ($4 = '' OR sku ~ $5 OR name ~ $5)
    ORDER BY sku LIMIT $6
)sql"};

constexpr sql::Query find_stock{
    .name = "stock.find",
    .text = "SELECT sku, on_hand, reserved FROM inventory_items WHERE sku = $1",
    .postgres_batch = R"sql(
    SELECT sku, on_hand, reserved FROM inventory_items WHERE sku = ANY($1::text[])
)sql"};

constexpr sql::Query list_movements{.name = "movement.list", .text = R"sql(
    SELECT position, delta, on_hand_after, reason, order_id, created_at
    FROM stock_movements WHERE sku = $1 AND position < $2 ORDER BY position DESC LIMIT $3
)sql"};

constexpr sql::Query find_reservation{.name = "reservation.find", .text = R"sql(
    SELECT id, order_id, status, reason, shortages, replies, created_at, updated_at
    FROM inventory_reservations WHERE id = $1 AND status NOT IN ('REFUSED', 'CANCELLED_FIRST')
)sql"};

constexpr sql::Query find_reservation_of_order{.name = "reservation.of_order", .text = R"sql(
    SELECT id, order_id, status, reason, shortages, replies, created_at, updated_at
    FROM inventory_reservations WHERE order_id = $1 AND status NOT IN ('REFUSED', 'CANCELLED_FIRST')
      AND ($2 = '' OR status = $2) AND id < $3
)sql"};

constexpr sql::Query list_reservations{.name = "reservation.list", .text = R"sql(
    SELECT id, order_id, status, reason, shortages, replies, created_at, updated_at
    FROM inventory_reservations WHERE id < $1 AND status NOT IN ('REFUSED', 'CANCELLED_FIRST')
    ORDER BY id DESC LIMIT $2
)sql"};

constexpr sql::Query list_reservations_by_status{.name = "reservation.by_status", .text = R"sql(
    SELECT id, order_id, status, reason, shortages, replies, created_at, updated_at
    FROM inventory_reservations WHERE status = $1 AND id < $2 ORDER BY id DESC LIMIT $3
)sql"};

constexpr sql::Query list_reservations_by_sku{.name = "reservation.by_sku", .text = R"sql(
    SELECT r.id, r.order_id, r.status, r.reason, r.shortages, r.replies, r.created_at, r.updated_at
    FROM inventory_reservation_items i JOIN inventory_reservations r ON r.id = i.reservation_id
    WHERE i.sku = $1 AND i.reservation_id < $2 AND ($3 = '' OR r.status = $3)
    ORDER BY i.reservation_id DESC LIMIT $4
)sql"};

constexpr sql::Query find_lines_of{.name = "reservation.lines_of",
                                   .text =
                                       "SELECT reservation_id, sku, quantity FROM "
                                       "inventory_reservation_items WHERE reservation_id = "
                                       "$1 ORDER BY sku",
                                   .postgres_batch = R"sql(
    SELECT reservation_id, sku, quantity FROM inventory_reservation_items
    WHERE reservation_id = ANY($1::uuid[]) ORDER BY sku
)sql"};

constexpr domain::ReservationId newest{Uuid{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                             0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}};

const sql::Statement& add_list(sql::Transaction& tx, const app::ReservationFilter& filter,
                               domain::ReservationId before, std::size_t most) {
    const std::string_view status = filter.status ? name_of(*filter.status) : std::string_view();
    const auto limit = static_cast<std::int64_t>(most);
    if (filter.order_id)
        return tx.add(find_reservation_of_order, {*filter.order_id, status, before});
    if (!filter.sku.empty()) {
        return tx.add(list_reservations_by_sku, {filter.sku, before, status, limit});
    }
    if (filter.status) return tx.add(list_reservations_by_status, {status, before, limit});
    return tx.add(list_reservations, {before, limit});
}

std::vector<domain::Reservation> with_lines(sql::Transaction& tx, const sql::Statement& found) {
    std::vector<domain::Reservation> reservations;
    std::unordered_map<domain::ReservationId, std::size_t> places;  // in `reservations`
    std::vector<sql::Params> keys;
    for (const auto& row : found.rows()) {
        reservations.push_back(reservation_of(row));
        places.emplace(reservations.back().id, reservations.size() - 1);
        keys.push_back({reservations.back().id});
    }
    const auto& lines = tx.add_batch(find_lines_of, std::move(keys));
    tx.flush();
    for (const auto& row : lines.rows()) {
        const std::size_t place = places.at(domain::ReservationId(row.uuid(0)));
        reservations[place].lines.push_back({row.text(1), row.integer(2)});
    }
    return reservations;
}

class SqlInventoryReader final : public app::InventoryReader {
public:
    SqlInventoryReader(sql::Database& database, std::int64_t low_stock_threshold)
        : database_(database), low_stock_threshold_(low_stock_threshold) {}

    std::optional<domain::Item> item(std::string_view sku) override {
        const auto tx = database_.begin(sql::Access::read);
        const auto& found = tx->add(find_item, {sku});
        tx->flush();
        if (found.rows().empty()) return std::nullopt;
        return item_of(found.rows().front());
    }

    std::vector<domain::Item> items(const app::ItemFilter& filter, std::string_view after,
                                    std::size_t most) override {
        const auto tx = database_.begin(sql::Access::read);
        const auto& found =
            tx->add(list_items, {after, filter.category, filter.low_stock, glob_of(filter.words),
                                 regex_of(filter.words), static_cast<std::int64_t>(most),
                                 low_stock_threshold_});
        tx->flush();
        std::vector<domain::Item> items;
        for (const auto& row : found.rows()) items.push_back(item_of(row));
        return items;
    }

    domain::StockLevels stock_of(std::span<const std::string> skus) override {
        const auto tx = database_.begin(sql::Access::read);
        std::vector<sql::Params> keys;
        for (const std::string& sku : skus) keys.push_back({sku});
        const auto& found = tx->add_batch(find_stock, std::move(keys));
        tx->flush();
        domain::StockLevels stock_levels;
        for (const auto& row : found.rows()) {
            stock_levels.emplace(row.text(0), domain::StockLevel{row.integer(1), row.integer(2)});
        }
        return stock_levels;
    }

    std::vector<app::LedgerRow> movements(std::string_view sku, std::optional<std::int64_t> before,
                                          std::size_t most) override {
        const auto tx = database_.begin(sql::Access::read);
        const auto& found = tx->add(
            list_movements, {sku, before.value_or(INT64_MAX), static_cast<std::int64_t>(most)});
        tx->flush();
        std::vector<app::LedgerRow> rows;
        for (const auto& row : found.rows()) {
            const auto order = row.maybe_uuid(4);
            rows.push_back({row.integer(0),
                            {std::string(sku), row.integer(1), row.integer(2)},
                            row.text(3),
                            order ? std::optional(domain::OrderId(*order)) : std::nullopt,
                            row.instant(5)});
        }
        return rows;
    }

    std::optional<domain::Reservation> reservation(domain::ReservationId id) override {
        const auto tx = database_.begin(sql::Access::read);
        const auto& found = tx->add(find_reservation, {id});
        tx->flush();
        auto reservations = with_lines(*tx, found);
        if (reservations.empty()) return std::nullopt;
        return std::move(reservations.front());
    }

    std::vector<domain::Reservation> reservations(const app::ReservationFilter& filter,
                                                  std::optional<domain::ReservationId> before,
                                                  std::size_t most) override {
        const auto tx = database_.begin(sql::Access::read);
        const auto& found = add_list(*tx, filter, before.value_or(newest), most);
        tx->flush();
        auto reservations = with_lines(*tx, found);
        if (filter.order_id && !filter.sku.empty()) {
            std::erase_if(reservations, [&](const domain::Reservation& reservation) {
                return std::ranges::find(reservation.lines, filter.sku, &domain::Line::sku) ==
                       reservation.lines.end();
            });
        }
        return reservations;
    }

private:
    sql::Database& database_;
    const std::int64_t low_stock_threshold_;  // units
};

}  // namespace

std::unique_ptr<app::InventoryReader> make_inventory_reader(sql::Database& database,
                                                            std::int64_t low_stock_threshold) {
    return std::make_unique<SqlInventoryReader>(database, low_stock_threshold);
}

}  // namespace trackops::inventory::adapters
