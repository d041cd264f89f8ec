// A bus as a health component.
#pragma once
#include "platform/telemetry/health.hpp"

namespace trackops::bus {

class Bus;

// "bus": UP when whatever keeps the messages answers. bus outlives the component.
telemetry::Component health_component(Bus& bus);

}  // namespace trackops::bus
