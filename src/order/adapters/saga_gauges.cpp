#include "order/adapters/saga_gauges.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "order/domain/saga.hpp"
#include "platform/runtime/pause_after.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::order::adapters {
namespace {

using domain::SagaStatus;
using domain::SagaType;

// A saga that waits has a due_at, and the index saga_instances_due holds those alone.
constexpr sql::Query count_unfinished{.name = "saga.count_unfinished", .text = R"sql(
    SELECT type, status, count(*), min(started_at)
    FROM (SELECT type, status, started_at FROM saga_instances
          WHERE due_at IS NOT NULL ORDER BY due_at LIMIT $1) AS waiting
    GROUP BY type, status
    UNION ALL
    SELECT type, 'BLOCKED', count(*), min(started_at)
    FROM (SELECT type, started_at FROM saga_instances
          WHERE status = 'BLOCKED' ORDER BY started_at LIMIT $1) AS blocked
    GROUP BY type
)sql"};

constexpr std::array types{SagaType::fulfilment, SagaType::cancellation};
constexpr std::array unfinished{SagaStatus::running, SagaStatus::compensating, SagaStatus::blocked};

}  // namespace

runtime::Progress SagaGauges::run(Duration) {
    const auto began = std::chrono::steady_clock::now();
    sample();
    const auto took = std::chrono::ceil<Duration>(std::chrono::steady_clock::now() - began);
    return {1, runtime::pause_after(took, 20, interval_min, interval_max)};
}

void SagaGauges::sample() {
    const auto tx = database_.begin(sql::Access::read);
    tx->extend(time_max);
    const sql::Statement& counted = tx->add(count_unfinished, {counted_max});
    tx->commit();
    const Instant now = clock_.now();
    for (const SagaType type : types) {
        for (const SagaStatus status : unfinished) {
            const auto found = std::ranges::find_if(counted.rows(), [&](const sql::Row& row) {
                return row.text(0) == name_of(type) && row.text(1) == name_of(status);
            });
            double count = 0;
            std::chrono::duration<double> age{0};
            if (found != counted.rows().end()) {
                count = static_cast<double>(found->integer(2));
                age = std::max(now - found->instant(3), Duration::zero());
            }
            const telemetry::Labels labels{{"type", std::string(name_of(type))},
                                           {"status", std::string(name_of(status))}};
            metrics_.gauge("trackops_sagas", "Sagas that have not ended.", labels).set(count);
            metrics_
                .gauge("trackops_saga_oldest_age_seconds",
                       "Age of the oldest saga that has not ended.", labels)
                .set(age.count());
        }
    }
}

}  // namespace trackops::order::adapters
