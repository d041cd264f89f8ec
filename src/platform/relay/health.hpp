// The relay as a health component, which tells a stalled relay from an idle one.
#pragma once
#include "platform/telemetry/health.hpp"

namespace trackops::relay {

class Relay;

// Returns the component "relay". It is DOWN when events wait for more than half a minute and none
// leaves, or when the outbox cannot be read. An idle, paused or standby relay is UP, and the
// details name its state. Each question also sets the relay's gauges (Relay::sample()). `relay`
// outlives the component.
telemetry::Component health_component(Relay& relay);

}  // namespace trackops::relay
