// The cache in Redis, shared by all replicas, with the memory of this process in front of it.
#pragma once
#include <memory>

#include "platform/cache/cache.hpp"
#include "platform/redis/target.hpp"

namespace trackops::cache {

// Connects in the background. `clock` and `metrics` outlive the cache.
std::unique_ptr<Cache> open_redis(RedisTarget target, const Options& options, const Clock& clock,
                                  telemetry::Registry& metrics);

}  // namespace trackops::cache
