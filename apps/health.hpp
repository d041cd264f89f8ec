// The subcommand `health`: asks a running service on this machine whether it is ready, for health
// checks of containers without a shell.
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "base/instant.hpp"
#include "platform/config/settings.hpp"

namespace trackops::apps {

// Asks GET /actuator/health/readiness of each port. `values` are the settings with which the
// service was started; they say on which address it listens. Prints what each service answers.
// Returns the exit code: 0 if all are ready, 1 if one is not or gives no answer within `within`.
int ask_health(const config::Values& values, std::span<const std::uint16_t> ports,
               Duration within = std::chrono::seconds(2));

}  // namespace trackops::apps
