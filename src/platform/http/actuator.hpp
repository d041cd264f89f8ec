// The operator's endpoints every service has: health, info, metrics.
#pragma once
#include <string>
#include <vector>

#include "platform/http/router.hpp"
#include "platform/telemetry/health.hpp"

namespace trackops::telemetry {
class Registry;
}

namespace trackops::http {

struct ActuatorInfo {
    std::string service;  // order-service
    std::string version;
};

// GET /actuator, /actuator/health, /actuator/health/liveness, /actuator/health/readiness,
// /actuator/health/{component}, /actuator/info, /actuator/prometheus. Health in Spring Boot's
// shape, 503 with the same body when DOWN, content type
// application/vnd.spring-boot.actuator.v3+json unless plain JSON is asked for. Liveness asks
// nobody. metrics outlives the routes.
std::vector<Route> actuator_routes(const ActuatorInfo& info,
                                   std::vector<telemetry::Component> components,
                                   telemetry::Registry& metrics);

}  // namespace trackops::http
