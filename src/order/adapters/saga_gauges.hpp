// The gauges of the sagas that have not ended.
#pragma once
#include <chrono>

#include "base/clock.hpp"
#include "platform/runtime/pump.hpp"
#include "platform/sql/database.hpp"

namespace trackops::telemetry {
class Registry;
}

namespace trackops::order::adapters {

// Samples trackops_sagas and trackops_saga_oldest_age_seconds. A sample reads two partial indexes
// that hold unfinished sagas alone, at most `counted_max` entries of each, and ends after
// `time_max`. Every 2 s; less often when it takes long, so that it takes at most a twentieth of the
// time. run() throws sql::Failure when the database is away; the gauges then keep their values.
class SagaGauges final : public runtime::Pump {
public:
    static constexpr int counted_max = 100'000;
    static constexpr Duration time_max = std::chrono::seconds(2);
    static constexpr Duration interval_min = std::chrono::seconds(2);
    static constexpr Duration interval_max = std::chrono::minutes(1);

    // All arguments outlive the pump.
    SagaGauges(sql::Database& database, const Clock& clock, telemetry::Registry& metrics)
        : database_(database), clock_(clock), metrics_(metrics) {}
    runtime::Progress run(Duration max_wait) override;

private:
    void sample();

    sql::Database& database_;
    const Clock& clock_;
    telemetry::Registry& metrics_;
};

}  // namespace trackops::order::adapters
