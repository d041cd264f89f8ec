#include <stdexcept>

#include <fmt/format.h>

#include "platform/cache/cache.hpp"
#include "platform/cache/embedded_cache.hpp"

namespace trackops::cache {

std::unique_ptr<Cache> open(std::string_view url, const Options& options, const Clock& clock,
                            telemetry::Registry& metrics) {
    if (url == "embedded:") return open_embedded(options, clock, metrics);
    if (url.starts_with("redis://")) {
        throw std::invalid_argument(
            "cache URL redis://...: comes with the Redis adapter, not in this build");
    }
    if (url.starts_with("rediss://")) {
        throw std::invalid_argument("cache URL rediss://...: TLS to Redis is not supported");
    }
    throw std::invalid_argument(
        fmt::format("cache URL '{}' is neither embedded: nor redis://HOST:PORT", url));
}

}  // namespace trackops::cache
