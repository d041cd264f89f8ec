#pragma once
#include <span>
#include <string>

namespace trackops::apps {

// Runs `trackops routes`: prints the route table of each service, as text or with --json as a JSON
// array. Needs no database. Returns the exit code: 0, or 2 for bad arguments.
int routes(std::span<const std::string> arguments, std::span<const std::string> environment);

}  // namespace trackops::apps
