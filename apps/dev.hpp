#pragma once
#include <span>
#include <string>

namespace trackops::apps {

// `trackops dev`: runs until SIGTERM or SIGINT, then drains. Exit code 0; 1 when it could not
// start; 2 for bad settings.
int dev(std::span<const std::string> arguments, std::span<const std::string> environment);

}  // namespace trackops::apps
