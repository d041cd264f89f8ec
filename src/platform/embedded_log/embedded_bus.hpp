// The bus of a laptop and of the tests: one process, one folder.
#pragma once
#include <memory>
#include <string>

#include "platform/bus/bus.hpp"

namespace trackops::bus {

// Throws std::runtime_error naming the folder when it cannot be used or another process uses it.
std::unique_ptr<Bus> open_embedded(const std::string& folder, const Options& options,
                                   const Clock& clock, telemetry::Registry& metrics);

}  // namespace trackops::bus
