#include "platform/cache/health.hpp"

#include "platform/cache/cache.hpp"

namespace trackops::cache {

telemetry::Component health_component(Cache& cache) {
    using enum telemetry::Status;
    return {.name = "cache",
            .ask = [&cache] { return telemetry::ComponentHealth{cache.ping() ? up : down}; },
            .in_readiness = false};
}

}  // namespace trackops::cache
