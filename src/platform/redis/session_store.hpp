// The sessions of operators in Redis.
#pragma once
#include <memory>

#include "platform/access/session_store.hpp"
#include "platform/redis/target.hpp"

namespace trackops {
class Clock;
}
namespace trackops::telemetry {
class Registry;
}

namespace trackops::cache {

// Keys:
// - trackops:session:{SHA-256 of the id}: a session, which expires with it
// - trackops:sessions:{operator}: the hashes of an operator's sessions, by their ends
// - trackops:ratelimit:{subject}: attempts, which expire with their window
// Connects with the first call. `timeout` is that of RedisCalls, and every function makes two calls
// at most. `clock` and `metrics` outlive it.
std::unique_ptr<access::SessionStore> make_redis_session_store(RedisTarget target,
                                                               access::SessionTimes times,
                                                               Duration timeout, const Clock& clock,
                                                               telemetry::Registry& metrics);

}  // namespace trackops::cache
