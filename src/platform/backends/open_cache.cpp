#include "platform/backends/open_cache.hpp"

#include "platform/backends/redis_url.hpp"
#include "platform/cache/embedded_cache.hpp"
#include "platform/redis/cache.hpp"
#include "platform/redis/target.hpp"
#include "platform/url/url.hpp"

namespace trackops::backends {
namespace {

constexpr url::Form form{.what = "cache URL", .example = "embedded: or redis://HOST:PORT"};

}  // namespace

std::unique_ptr<cache::Cache> open_cache(std::string_view url, const cache::Options& options,
                                         const Clock& clock, telemetry::Registry& metrics) {
    if (url == "embedded:") return cache::open_embedded(options, clock, metrics);
    if (url::scheme_of(url) == "redis")
        return cache::open_redis(cache::parse_redis_target(url), options, clock, metrics);
    refuse_redis_url(url, form);
}

}  // namespace trackops::backends
