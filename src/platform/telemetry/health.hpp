// What /actuator/health says: components that are really asked.
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
    std::string name;                      // db, bus, cache, relay, diskSpace, ...
    std::function<ComponentHealth()> ask;  // may block within its own timeouts; an exception is
                                           // DOWN with its text as detail "error"
    bool in_readiness = true;
};

}  // namespace trackops::telemetry
