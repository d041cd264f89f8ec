// Sessions over HTTP: logging in and out, and the list of the sessions.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/http/route.hpp"

namespace trackops {
class Clock;
}

namespace trackops::access {

class AccessStore;
class Logins;
class Sessions;

// An attempt to log in, for an audit log.
struct LoginNote {
    std::string who;  // operator:<name>; "nobody" for a text that cannot be a name
    std::string from;
    std::string_view outcome;  // accepted, refused, throttled, unavailable
    std::string correlation_id;
};

// The parts that the routes need; all outlive them. Null, all together: there is no access file,
// and the routes answer 409.
struct SessionDoor {
    AccessStore* callers = nullptr;
    Sessions* sessions = nullptr;
    Logins* logins = nullptr;
    // Called for each attempt, on any thread.
    std::function<void(const LoginNote&)> note_login = [](const LoginNote&) {};
};

// Returns the routes of /api/sessions. An operator sees and ends its own sessions, a caller with
// the scope admin those of everybody.
std::vector<http::Route> session_routes(const SessionDoor& door);
// Returns the same rows with empty handlers.
std::vector<http::Route> session_route_table();

}  // namespace trackops::access
