// A cache as a health component.
#pragma once
#include "platform/telemetry/health.hpp"

namespace trackops::cache {

class Cache;

// "cache": UP when whatever keeps the entries answers. Not in readiness: without a cache reads are
// slower and nothing breaks. cache outlives the component.
telemetry::Component health_component(Cache& cache);

}  // namespace trackops::cache
