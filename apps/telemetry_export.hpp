// The traces of one service, and the exported log of its process, on their way to a collector.
#pragma once
#include <memory>
#include <string_view>

#include "base/clock.hpp"
#include "platform/config/settings.hpp"

namespace trackops::telemetry {
class Registry;
class Tracer;
}  // namespace trackops::telemetry

namespace trackops::apps {

class TelemetryExport {
public:
    enum class Logs : bool { left_alone, exported };  // by one object a process

    // Without a collector in `values` it does nothing. `service`: order-service. `clock` and
    // `metrics` outlive this object.
    TelemetryExport(const config::Values& values, std::string_view service, Logs logs,
                    const Clock& clock, telemetry::Registry& metrics);
    ~TelemetryExport();  // stop()
    // Returns the tracer of the service; null when traces are off.
    telemetry::Tracer* tracer() const;
    // Sends what waits, once and for a second at most, and counts the rest as lost. Call it when
    // the service has stopped. Idempotent.
    void stop();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trackops::apps
