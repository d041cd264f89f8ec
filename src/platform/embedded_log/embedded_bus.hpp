// The embedded log: the bus of a laptop and of the tests, in one process and one folder.
#pragma once
#include <memory>
#include <string>

#include "platform/bus/bus.hpp"

namespace trackops::bus {

// Throws std::runtime_error that names the folder when it is unusable or in use by another process.
std::unique_ptr<Bus> open_embedded(const std::string& folder, const Options& options,
                                   const Clock& clock, telemetry::Registry& metrics);

}  // namespace trackops::bus
