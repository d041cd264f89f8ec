#include "platform/backends/open_sessions.hpp"

#include <chrono>

#include "platform/access/memory_session_store.hpp"
#include "platform/backends/redis_url.hpp"
#include "platform/redis/session_store.hpp"
#include "platform/redis/target.hpp"
#include "platform/url/url.hpp"

namespace trackops::backends {
namespace {

constexpr Duration timeout = std::chrono::milliseconds(250);  // nobody but the caller waits
constexpr url::Form form{.what = "URL of the sessions",
                         .example = "embedded: or redis://HOST:PORT"};

}  // namespace

std::unique_ptr<access::SessionStore> open_sessions(std::string_view url,
                                                    access::SessionTimes times, const Clock& clock,
                                                    telemetry::Registry& metrics) {
    if (url == "embedded:") return std::make_unique<access::MemorySessionStore>(times, clock);
    if (url::scheme_of(url) == "redis")
        return cache::make_redis_session_store(cache::parse_redis_target(url), times, timeout,
                                               clock, metrics);
    refuse_redis_url(url, form);
}

}  // namespace trackops::backends
