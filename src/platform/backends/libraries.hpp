// The libraries that the drivers use.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace trackops::backends {

// Returns the name and version of each: as loaded, where the library can say it.
std::vector<std::pair<std::string, std::string>> libraries();

}  // namespace trackops::backends
