// The operator's endpoints of every service: health, info and metrics.
#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "platform/http/router.hpp"
#include "platform/telemetry/health.hpp"

namespace trackops::telemetry {
class Registry;
}

namespace trackops::http {

struct ActuatorInfo {
    std::string service;  // e.g. order-service
    std::string version;
};

using SteadyNow = std::function<std::chrono::steady_clock::time_point()>;

// Returns the routes GET /actuator, /actuator/health, /actuator/health/liveness,
// /actuator/health/readiness, /actuator/health/{component}, /actuator/info and
// /actuator/prometheus. Health has the shape of Spring Boot's actuator; DOWN is 503 with the same
// body. Its content type is application/vnd.spring-boot.actuator.v3+json unless the client asks for
// plain JSON. Liveness probes no component; the others probe each component at most once a second
// by `now`. `metrics` outlives the routes.
std::vector<Route> actuator_routes(const ActuatorInfo& info,
                                   std::vector<telemetry::Component> components,
                                   telemetry::Registry& metrics,
                                   const SteadyNow& now = std::chrono::steady_clock::now);
// Returns the same rows with empty handlers.
std::vector<Route> actuator_route_table();

}  // namespace trackops::http
