// The metrics of orders and their sagas, and the warnings about sagas that a person must know of.
#pragma once
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "order/domain/order_aggregate.hpp"
#include "platform/telemetry/log_gate.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::order::adapters {

// Counts what a transaction has saved. Call it after the commit: what is rolled back, or repeated
// for another reason, counts nothing. A change whose commit has an unknown outcome is not counted
// when a later run finds it saved, so the counters never count twice. Counting allocates nothing.
// Thread-safe.
class OrderMetrics {
public:
    // `metrics` outlives this object.
    explicit OrderMetrics(telemetry::Registry& metrics);

    void placed(std::size_t orders);
    // Counts the status changes of the order, and warns of its sagas that have become BLOCKED or
    // whose reservation has timed out since `sagas_before` was loaded.
    void changed(const domain::OrderAggregate& record, std::span<const domain::Saga> sagas_before);

private:
    // The label `reason` of a cancellation. Clients may give any reason: those are OTHER, so that
    // they cannot make series.
    static constexpr auto reasons =
        std::to_array<std::string_view>({domain::customer_request, domain::out_of_stock,
                                         domain::unknown_sku, domain::timed_out, "OTHER"});

    void warn_of_sagas(const domain::OrderAggregate& record,
                       std::span<const domain::Saga> sagas_before);

    telemetry::Counter& placed_;
    std::array<telemetry::Counter*, domain::statuses.size()> reached_{};  // by Status
    std::array<telemetry::Counter*, reasons.size()> cancelled_{};
    telemetry::Histogram& confirmation_;
    telemetry::LogGate log_gate_;
};

}  // namespace trackops::order::adapters
