#include "platform/backends/open_cache.hpp"

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
    const std::string_view scheme = url::scheme_of(url);
    if (scheme == "redis")
        return cache::open_redis(cache::parse_redis_target(url), options, clock, metrics);
    if (scheme == "rediss")
        url::refuse(url, form,
                    "TLS to Redis needs hiredis_ssl, which the hiredis of Debian 12 does not have: "
                    "put Redis on this machine, or a tunnel in front of it");
    url::refuse(url, form, "it is neither embedded: nor redis://");
}

}  // namespace trackops::backends
