#include "platform/backends/open_cache.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include <fmt/format.h>

#include "platform/cache/embedded_cache.hpp"
#include "platform/redis/cache.hpp"
#include "platform/redis/target.hpp"

namespace trackops::backends {

std::unique_ptr<cache::Cache> open_cache(std::string_view url, const cache::Options& options,
                                         const Clock& clock, telemetry::Registry& metrics) {
    if (url == "embedded:") return cache::open_embedded(options, clock, metrics);
    if (url.starts_with("redis://")) {
        const char* password = std::getenv("TRACKOPS_REDIS_PASSWORD");
        return cache::open_redis(
            cache::parse_redis_target(url, password == nullptr ? "" : password), options, clock,
            metrics);
    }
    if (url.starts_with("rediss://")) {
        throw std::invalid_argument("cache URL rediss://...: TLS to Redis is not supported");
    }
    // Shows only the scheme, because the rest may contain a password.
    throw std::invalid_argument(
        fmt::format("cache URL '{}:...' is neither embedded: nor redis://HOST:PORT",
                    url.substr(0, std::min<std::size_t>(url.find(':'), 20))));
}

}  // namespace trackops::backends
