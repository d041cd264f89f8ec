#include "inventory/adapters/stock_gauges.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "platform/runtime/pause_after.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::inventory::adapters {
namespace {

// One row, whatever the number of items. PostgreSQL's sum() of bigint is numeric, hence the casts;
// a page of items at their largest is far below an overflow.
constexpr sql::Query sum_page{.name = "stock.sum_page", .text = R"sql(
    SELECT count(*), max(sku), CAST(coalesce(sum(on_hand), 0) AS bigint),
           CAST(coalesce(sum(reserved), 0) AS bigint),
           count(CASE WHEN on_hand - reserved <= coalesce(low_stock_threshold, $3) THEN 1 END),
           count(CASE WHEN on_hand = reserved THEN 1 END)
    FROM (SELECT sku, on_hand, reserved, low_stock_threshold FROM inventory_items
          WHERE sku > $1 ORDER BY sku LIMIT $2) AS page
)sql"};

// There is one location as yet.
constexpr std::string_view location = "default";

}  // namespace

runtime::Progress StockGauges::run(Duration) {
    const auto began = std::chrono::steady_clock::now();
    const bool is_end = read_page();
    const auto took = std::chrono::ceil<Duration>(std::chrono::steady_clock::now() - began);
    if (is_end) {
        show();
        sums_ = {};
        after_.clear();
    }
    const Duration min = is_end ? pass_interval : Duration::zero();
    return {1, runtime::pause_after(took, 20, min, std::chrono::minutes(1))};
}

bool StockGauges::read_page() {
    const auto tx = database_.begin(sql::Access::read);
    tx->extend(time_max);
    const sql::Statement& summed = tx->add(sum_page, {after_, page_max, low_stock_threshold_});
    tx->commit();
    const sql::Row& row = summed.rows().front();
    const auto number = [&](std::size_t column) {
        return static_cast<double>(row.integer(column));
    };
    sums_.items += number(0);
    sums_.on_hand += number(2);
    sums_.reserved += number(3);
    sums_.low += number(4);
    sums_.out += number(5);
    if (row.integer(0) < page_max) return true;
    after_ = row.text(1);
    return false;
}

void StockGauges::show() const {
    const auto states = std::to_array<std::pair<const char*, double>>(
        {{"on_hand", sums_.on_hand},
         {"reserved", sums_.reserved},
         {"available", sums_.on_hand - sums_.reserved}});
    for (const auto& [state, units] : states) {
        metrics_
            .gauge("trackops_stock_units", "Units of stock by location and state.",
                   {{"location", std::string(location)}, {"state", state}})
            .set(units);
    }
    metrics_.gauge("trackops_stock_items", "Items.").set(sums_.items);
    metrics_.gauge("trackops_stock_items_low", "Items at or below their low-stock threshold.")
        .set(sums_.low);
    metrics_.gauge("trackops_stock_items_out", "Items with no unit available.").set(sums_.out);
}

}  // namespace trackops::inventory::adapters
