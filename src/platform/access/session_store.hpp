// The port to the place where the sessions of operators are kept, shared by all replicas of all
// services, and where attempts to log in are counted.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "platform/access/session.hpp"

namespace trackops::access {

struct KeptSession {
    SessionKey key;
    Session session;
};

struct Attempts {
    std::int64_t count = 0;   // in this window, with the present one
    Duration left_of_window;  // until the count begins again
};

// Thread-safe. Every function may wait for a server, for a second or so at most, and returns
// Errc::unavailable if it does not answer.
class SessionStore {
public:
    virtual ~SessionStore() = default;
    // Keeps a session until it has been idle for SessionTimes::idle_max, or ends. The oldest
    // sessions of the operator beyond sessions_of_operator_max end.
    virtual Result<void> add(const SessionKey& key, const Session& session) = 0;
    // Returns one result for each key, in order, and renews the sessions that it finds.
    virtual Result<std::vector<std::optional<Session>>> find(std::span<const SessionKey> keys) = 0;
    // Returns the sessions of these operators. Renews none.
    virtual Result<std::vector<KeptSession>> of_operators(std::span<const std::string> names) = 0;
    virtual Result<void> remove(std::string_view operator_name,
                                std::span<const SessionKey> keys) = 0;

    // Counts one more attempt of a subject (hex digits) in a window that begins with the first.
    virtual Result<Attempts> count_attempt(std::string_view subject, Duration window) = 0;
    virtual Result<void> forget_attempts(std::string_view subject) = 0;
};

}  // namespace trackops::access
