// The relay as a health component: stalled is not idle.
#pragma once
#include "platform/telemetry/health.hpp"

namespace trackops::relay {

class Relay;

// DOWN when events wait for more than half a minute and none leaves, or the outbox cannot be asked.
// Idle, paused, or standing by for another relay is UP, and says so. relay outlives the component.
telemetry::Component relay_component(Relay& relay);

}  // namespace trackops::relay
