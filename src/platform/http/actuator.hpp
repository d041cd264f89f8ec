// The operator's endpoints of every service: health, info and metrics, all answered from memory.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/http/router.hpp"
#include "platform/telemetry/sampled_component.hpp"

namespace trackops::telemetry {
class Registry;
}

namespace trackops::http {

struct Actuator {
    std::string service;  // e.g. order-service
    // Somebody else samples them.
    std::shared_ptr<const telemetry::SampledComponents> components;
    telemetry::Registry& metrics;  // outlives the routes
    // False while the service is stopping: readiness is then OUT_OF_SERVICE. Thread-safe.
    std::function<bool()> takes_traffic = [] { return true; };
    // For /actuator/info: who can reach the service without a login; "" for nobody else.
    std::string access_warning = {};
};

// Returns the routes GET /actuator, /actuator/health, /actuator/health/liveness,
// /actuator/health/readiness, /actuator/health/{component}, /actuator/health/{group}/{component},
// /actuator/info, /actuator/metrics, /actuator/metrics/{name} and /actuator/prometheus. They have
// the shape of Spring Boot's actuator. A status that is not UP is 503 with the same body. Health is
// the worst status of all components, readiness that of the components in readiness; liveness is UP
// as long as the process answers. The content type is application/vnd.spring-boot.actuator.v3+json
// unless the client asks for plain JSON.
std::vector<Route> actuator_routes(const Actuator& actuator);
// Returns the same rows with empty handlers.
std::vector<Route> actuator_route_table();

}  // namespace trackops::http
