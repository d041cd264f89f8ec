// The cache as a health component.
#pragma once
#include "platform/telemetry/health.hpp"

namespace trackops::cache {

class Cache;

// Returns the component "cache". It is UP if the store of the entries answers. It is not part of
// readiness: without a cache reads are slower, but nothing fails. `cache` outlives the component.
telemetry::Component health_component(Cache& cache);

}  // namespace trackops::cache
