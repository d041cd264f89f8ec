// Keeps the messaging tables small: what is behind the relay's checkpoint and old, claims past
// retention, expired keys.
#pragma once
#include "base/clock.hpp"
#include "platform/runtime/pump.hpp"
#include "platform/sql/database.hpp"

namespace trackops::telemetry {
class Registry;
}

namespace trackops::outbox {

struct CleanupOptions {
    Duration outbox_retention =
        std::chrono::hours(24);  // since it occurred; what is not confirmed stays however old
    Duration claims_retention = std::chrono::hours(24 * 8);  // longer than the topics retain
    Duration interval = std::chrono::seconds(30);
    std::size_t rows_max = 5'000;  // a table and call; more: called again at once
};

// Deletes in bounded steps; never an outbox row that the checkpoint has not passed, or that is
// parked.
class Cleanup final : public runtime::Pump {
public:
    Cleanup(sql::Database& database, const Clock& clock, CleanupOptions options,
            telemetry::Registry& metrics);
    runtime::Progress run(Duration max_wait) override;

private:
    sql::Database& database_;
    const Clock& clock_;
    const CleanupOptions options_;
    telemetry::Registry& metrics_;
};

}  // namespace trackops::outbox
