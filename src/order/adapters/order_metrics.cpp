#include "order/adapters/order_metrics.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include "platform/telemetry/log.hpp"

namespace trackops::order::adapters {
namespace {

using domain::Status;

// The counters of the statuses that have one of their own. PENDING is what place() makes, and a
// cancellation has a reason.
struct StatusCounter {
    Status status;
    const char* name;
    const char* help;
};
constexpr auto status_counters = std::to_array<StatusCounter>({
    {Status::confirmed, "trackops_orders_confirmed_total", "Orders confirmed."},
    {Status::processing, "trackops_orders_processing_total", "Orders whose processing has begun."},
    {Status::shipped, "trackops_orders_shipped_total", "Orders shipped."},
    {Status::delivered, "trackops_orders_delivered_total", "Orders delivered."},
});
static_assert(status_counters.size() + 2 == domain::statuses.size());

double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

// Returns true when `now` is in this status and `before` was not.
bool has_become(domain::SagaStatus status, const domain::Saga& now,
                std::span<const domain::Saga> before) {
    if (now.status != status) return false;
    const auto found = std::ranges::find(before, now.id, &domain::Saga::id);
    return found == before.end() || found->status != status;
}

}  // namespace

OrderMetrics::OrderMetrics(telemetry::Registry& metrics)
    : placed_(metrics.counter("trackops_orders_placed_total", "Orders placed.")),
      confirmation_(metrics.histogram("trackops_order_confirmation_seconds",
                                      "From the placing of an order to its confirmation.", {},
                                      telemetry::process_buckets)) {
    for (const StatusCounter& row : status_counters)
        reached_.at(static_cast<std::size_t>(row.status)) = &metrics.counter(row.name, row.help);
    for (std::size_t i = 0; i < reasons.size(); ++i) {
        cancelled_.at(i) = &metrics.counter("trackops_orders_cancelled_total", "Orders cancelled.",
                                            {{"reason", std::string(reasons.at(i))}});
    }
}

void OrderMetrics::placed(std::size_t orders) { placed_.add(static_cast<double>(orders)); }

void OrderMetrics::changed(const domain::OrderAggregate& record,
                           std::span<const domain::Saga> sagas_before) {
    for (const domain::RecordedEvent& entry : record.events) {
        const auto status = rule_of(entry.event).leads_to;
        if (!status) continue;
        if (const auto* cancelled = std::get_if<domain::OrderCancelled>(&entry.event)) {
            const auto found = std::ranges::find(reasons, cancelled->reason);
            const std::size_t last = reasons.size() - 1;
            const auto index = static_cast<std::size_t>(found - reasons.begin());
            cancelled_.at(std::min(index, last))->add();
        } else if (auto* const counter = reached_.at(static_cast<std::size_t>(*status))) {
            counter->add();
        }
        if (*status == Status::confirmed)
            confirmation_.observe(seconds(entry.at - record.order.created_at));
    }
    warn_of_sagas(record, sagas_before);
}

void OrderMetrics::warn_of_sagas(const domain::OrderAggregate& record,
                                 std::span<const domain::Saga> sagas_before) {
    const auto is_timeout = [](const domain::RecordedEvent& entry) {
        const auto* const cancelled = std::get_if<domain::OrderCancelled>(&entry.event);
        return cancelled != nullptr && cancelled->reason == domain::timed_out;
    };
    if (std::ranges::any_of(record.events, is_timeout)) {
        if (const auto held_back = log_gate_.admit("timed out")) {
            telemetry::log(telemetry::Level::warn, "order.sagas",
                           "inventory did not answer in time: the order is cancelled",
                           {{"order", record.order.id.text()},
                            {"reason", std::string(domain::timed_out)},
                            {"action",
                             "see whether inventory-service runs, its consumer lag, and "
                             "the backlog of the relay"},
                            {"lines_held_back", std::to_string(*held_back)}});
        }
    }
    for (const domain::Saga& saga : record.sagas) {
        if (!has_become(domain::SagaStatus::blocked, saga, sagas_before)) continue;
        const auto held_back = log_gate_.admit("blocked");
        if (!held_back) continue;
        const std::string error =
            saga.steps.empty() ? "" : saga.steps.back().last_error.value_or("");
        telemetry::log(telemetry::Level::warn, "order.sagas",
                       "a saga is BLOCKED: a person must look at it",
                       {{"saga", saga.id.text()},
                        {"order", record.order.id.text()},
                        {"type", std::string(name_of(saga.type))},
                        {"error", error},
                        {"action",
                         "compare GET /api/sagas/{id} with the order's reservation in "
                         "GET /api/inventory/reservations?orderId="},
                        {"lines_held_back", std::to_string(*held_back)}});
    }
}

}  // namespace trackops::order::adapters
