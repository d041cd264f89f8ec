// The cache of one process, in its own memory.
#pragma once
#include <memory>

#include "platform/cache/cache.hpp"

namespace trackops::cache {

// `clock` and `metrics` outlive the cache.
std::unique_ptr<Cache> open_embedded(const Options& options, const Clock& clock,
                                     telemetry::Registry& metrics);

}  // namespace trackops::cache
