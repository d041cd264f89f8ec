// A bus as a health component.
#pragma once
#include "platform/telemetry/health.hpp"

namespace trackops::bus {

class Bus;

// Returns the component "bus". It is UP if the store of the messages answers. It is not part of
// readiness: without a bus the events wait in the outbox, and every request is answered. `bus`
// outlives the component.
telemetry::Component health_component(Bus& bus);

}  // namespace trackops::bus
