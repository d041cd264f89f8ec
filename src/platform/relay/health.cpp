#include "platform/relay/health.hpp"

#include <string>

#include "platform/relay/relay.hpp"

namespace trackops::relay {
namespace {

constexpr Duration stalled_after = std::chrono::seconds(30);

const char* state_of(const RelayStatus& status) {
    if (status.paused) return "paused";
    if (!status.active) return "standby";
    if (status.backlog.events == 0) return "idle";
    const bool is_stalled =
        status.backlog.oldest_age > stalled_after && status.events_per_second == 0;
    return is_stalled ? "stalled" : "publishing";
}

telemetry::ComponentHealth health_of(const RelayStatus& status) {
    const std::string state = state_of(status);
    telemetry::ComponentHealth health;
    if (state == "stalled") health.status = telemetry::Status::down;
    health.details = {{"state", state},
                      {"backlog", std::to_string(status.backlog.events)},
                      {"parkedEvents", std::to_string(status.parked_events)}};
    if (!status.backlog.warning.empty()) {
        health.details.emplace_back("warning", status.backlog.warning);
    }
    if (!status.last_error.empty()) health.details.emplace_back("lastError", status.last_error);
    return health;
}

}  // namespace

telemetry::Component health_component(Relay& relay) {
    return {"relay", [&relay] {
                try {
                    return health_of(relay.sample());
                } catch (const sql::Failure& failure) {
                    if (failure.fault != sql::Fault::defect) throw;
                    return telemetry::ComponentHealth{
                        telemetry::Status::down,
                        {{"state", "waiting for the outbox"},
                         {"hint", "its tables are made by the service that writes to it"},
                         {"error", failure.what()}}};
                }
            }};
}

}  // namespace trackops::relay
