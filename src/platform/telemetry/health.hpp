// The components of a service's health, and how each one is asked.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/instant.hpp"

namespace trackops::telemetry {

enum class Status : std::uint8_t { up, down, out_of_service };

struct ComponentHealth {
    Status status = Status::up;
    std::vector<std::pair<std::string, std::string>> details = {};
};

struct Component {
    std::string name;  // e.g. db, bus, cache, relay, diskSpace
    // Asks the component, on a thread of its own; it may block. An exception means DOWN, with its
    // text as the detail "error".
    std::function<ComponentHealth()> ask;
    // A component of readiness is one without which the service's own API cannot answer.
    bool in_readiness = true;
    // The component is DOWN while it has not answered for longer than this.
    Duration answer_within = std::chrono::seconds(2);
};

}  // namespace trackops::telemetry
