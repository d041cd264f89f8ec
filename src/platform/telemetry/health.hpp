// The components behind /actuator/health. Each one is probed when health is asked for.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace trackops::telemetry {

enum class Status : std::uint8_t { up, down, out_of_service };

struct ComponentHealth {
    Status status = Status::up;
    std::vector<std::pair<std::string, std::string>> details = {};
};

struct Component {
    std::string name;  // e.g. db, bus, cache, relay, diskSpace
    // Probes the component. It may block within its own timeouts. An exception means DOWN, with its
    // text as the detail "error".
    std::function<ComponentHealth()> ask;
    bool in_readiness = true;
};

}  // namespace trackops::telemetry
