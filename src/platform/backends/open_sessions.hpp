// Opens the store of the operators' sessions that a URL names.
#pragma once
#include <memory>
#include <string_view>

#include "platform/access/session_store.hpp"

namespace trackops {
class Clock;
}
namespace trackops::telemetry {
class Registry;
}

namespace trackops::backends {

// The URL is one of open_cache(): embedded: keeps the sessions in the memory of this process,
// redis:// in Redis, which may be unavailable, now and later. Throws std::invalid_argument with the
// reason, but never a password. `clock` and `metrics` outlive the store.
std::unique_ptr<access::SessionStore> open_sessions(std::string_view url,
                                                    access::SessionTimes times, const Clock& clock,
                                                    telemetry::Registry& metrics);

}  // namespace trackops::backends
