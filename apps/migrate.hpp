#pragma once
#include <span>
#include <string>

namespace trackops::apps {

// Runs `trackops migrate`: brings the schemas and grants of one database or of both to this build.
// Returns the exit code: 0, 1 if a database could not be migrated, or 2 for bad settings.
int migrate(std::span<const std::string> arguments, std::span<const std::string> environment);

}  // namespace trackops::apps
