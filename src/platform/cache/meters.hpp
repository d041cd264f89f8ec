// The read metrics of every cache.
#pragma once
#include "platform/telemetry/metrics.hpp"

namespace trackops::cache {

struct ReadMeters {
    explicit ReadMeters(telemetry::Registry& metrics)
        : memory_hits(hits(metrics, "memory")),
          misses(metrics.counter("trackops_cache_misses_total",
                                 "Reads that no level of the cache could answer")) {}
    static telemetry::Counter& hits(telemetry::Registry& metrics, const char* level) {
        return metrics.counter("trackops_cache_hits_total", "Reads that the cache answered",
                               {{"level", level}});
    }
    telemetry::Counter& memory_hits;
    telemetry::Counter& misses;
};

}  // namespace trackops::cache
