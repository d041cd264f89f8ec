#include "platform/bus/health.hpp"

#include "platform/bus/bus.hpp"

namespace trackops::bus {

telemetry::Component health_component(Bus& bus) {
    return {.name = "bus",
            .ask =
                [&bus] {
                    bus.ping();
                    return telemetry::ComponentHealth{};
                },
            .in_readiness = false};
}

}  // namespace trackops::bus
