#pragma once
#include <span>
#include <string>

namespace trackops::apps {

// Runs `trackops dev` until SIGTERM or SIGINT and drains. Returns the exit code: 0, 1 if it could
// not start, or 2 for bad settings.
int dev(std::span<const std::string> arguments, std::span<const std::string> environment);

// Runs `trackops health`: asks a running `trackops dev` with the same settings whether its services
// are ready. Returns the exit code: 0, 1 if one is not ready, or 2 for bad settings.
int health(std::span<const std::string> arguments, std::span<const std::string> environment);

}  // namespace trackops::apps
