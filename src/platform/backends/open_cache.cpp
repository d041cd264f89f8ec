#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include <fmt/format.h>

#include "platform/cache/cache.hpp"
#include "platform/cache/embedded_cache.hpp"
#include "platform/redis/cache.hpp"
#include "platform/redis/target.hpp"

namespace trackops::cache {

std::unique_ptr<Cache> open(std::string_view url, const Options& options, const Clock& clock,
                            telemetry::Registry& metrics) {
    if (url == "embedded:") return open_embedded(options, clock, metrics);
    if (url.starts_with("redis://")) {
        const char* password = std::getenv("TRACKOPS_REDIS_PASSWORD");
        return open_redis(parse_redis_target(url, password == nullptr ? "" : password), options,
                          clock, metrics);
    }
    if (url.starts_with("rediss://")) {
        throw std::invalid_argument("cache URL rediss://...: TLS to Redis is not supported");
    }
    // The rest may hold a password: only the scheme is shown.
    throw std::invalid_argument(
        fmt::format("cache URL '{}:...' is neither embedded: nor redis://HOST:PORT",
                    url.substr(0, std::min<std::size_t>(url.find(':'), 20))));
}

}  // namespace trackops::cache
