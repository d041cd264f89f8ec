// A bus as a health component.
#pragma once
#include "platform/telemetry/health.hpp"

namespace trackops::bus {

class Bus;

// "bus": UP when the store of the messages answers. The bus outlives the component.
telemetry::Component health_component(Bus& bus);

}  // namespace trackops::bus
