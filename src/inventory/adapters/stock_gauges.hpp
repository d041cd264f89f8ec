// The gauges of the stock levels.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "platform/runtime/pump.hpp"
#include "platform/sql/database.hpp"

namespace trackops::telemetry {
class Registry;
}

namespace trackops::inventory::adapters {

// Samples trackops_stock_units, trackops_stock_items, trackops_stock_items_low and
// trackops_stock_items_out. It walks the items in the order of their SKUs, `page_max` of them a
// call of run(), and sets the gauges at the end of each pass; so they are sums over a pass, not
// over one moment. A page takes at most `time_max`, and all pages together a twentieth of the time.
// A new pass begins at least `pass_interval` after the last one ended. run() throws sql::Failure
// when the database is away; the pass then goes on later, and the gauges keep their values.
class StockGauges final : public runtime::Pump {
public:
    static constexpr int page_max = 5'000;  // items
    static constexpr Duration time_max = std::chrono::seconds(2);
    static constexpr Duration pass_interval = std::chrono::seconds(2);

    // `database` and `metrics` outlive the pump. An item without a threshold of its own is low with
    // `low_stock_threshold` available units, or fewer.
    StockGauges(sql::Database& database, telemetry::Registry& metrics,
                std::int64_t low_stock_threshold)
        : database_(database), metrics_(metrics), low_stock_threshold_(low_stock_threshold) {}
    runtime::Progress run(Duration max_wait) override;

private:
    struct Sums {
        double items = 0;
        double on_hand = 0;
        double reserved = 0;
        double low = 0;
        double out = 0;
    };
    // Adds the next page to `sums_`. Returns true at the end of the pass.
    bool read_page();
    void show() const;

    sql::Database& database_;
    telemetry::Registry& metrics_;
    const std::int64_t low_stock_threshold_;  // units
    Sums sums_;                               // of the pass so far
    std::string after_;                       // the last SKU of the pass so far; "" at its start
};

}  // namespace trackops::inventory::adapters
