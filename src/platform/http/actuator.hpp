// The operator's endpoints of every service: health, info, metrics, loggers, settings and pumps,
// all answered from memory.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "platform/http/actuator_env.hpp"
#include "platform/http/router.hpp"
#include "platform/runtime/pump_threads.hpp"
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
    std::function<std::vector<runtime::PumpState>()> pumps = [] {
        return std::vector<runtime::PumpState>();
    };  // Thread-safe.
    std::vector<ShownSetting> settings = {};
    // The names and versions of the libraries that the program has loaded.
    std::vector<std::pair<std::string, std::string>> libraries = {};
};

// Returns the routes of /actuator: GET of the index, /health, /health/liveness, /health/readiness,
// /health/{component}, /health/{group}/{component}, /info, /metrics, /metrics/{name}, /prometheus,
// /loggers, /loggers/{name}, /env, /env/{name} and /pumps, and POST of /loggers/{name}. They have
// the shape of Spring Boot's actuator; only /pumps is ours. A status that is not UP is 503 with the
// same body. Health is the worst status of all components, readiness that of the components in
// readiness; liveness is UP as long as the process answers. Both are for everybody, but only a
// caller with the scope metrics:read sees the components. The content type is
// application/vnd.spring-boot.actuator.v3+json unless the client asks for plain JSON.
std::vector<Route> actuator_routes(const Actuator& actuator);
// Returns the same rows with empty handlers.
std::vector<Route> actuator_route_table();

}  // namespace trackops::http
