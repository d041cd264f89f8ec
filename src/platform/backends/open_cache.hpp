// Opens the cache that a URL names, with either driver.
#pragma once
#include <memory>
#include <string_view>

#include "platform/cache/cache.hpp"

namespace trackops::backends {

// embedded: keeps entries in the memory of this process.
// redis://[[user]:password@]host[:port][/database][?passwordFile=FILE] keeps them in Redis, version
// 6 or newer, with the memory of this process in front of it. Redis may be unavailable, now and
// later.
// Throws std::invalid_argument with the reason, but never a password, if the URL is invalid or is
// rediss:// (TLS is not supported).
std::unique_ptr<cache::Cache> open_cache(std::string_view url, const cache::Options& options,
                                         const Clock& clock, telemetry::Registry& metrics);

}  // namespace trackops::backends
