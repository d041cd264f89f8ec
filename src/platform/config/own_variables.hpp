// The environment of a command that shares it with other programs of TrackOps.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "platform/config/settings.hpp"

namespace trackops::config {

// Returns the variables of `environment` that belong to a setting of the table, with those that
// name the file of a secret. read() refuses variables that it does not know.
std::vector<std::string> own_variables(std::span<const Setting> table,
                                       std::span<const std::string> environment);

}  // namespace trackops::config
