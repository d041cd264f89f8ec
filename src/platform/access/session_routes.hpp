// Sessions over HTTP: logging in and out, and the list of the sessions.
#pragma once
#include <vector>

#include "platform/http/route.hpp"

namespace trackops {
class Clock;
}

namespace trackops::access {

class AccessStore;
class Logins;
class Sessions;

// The parts that the routes need; all outlive them. Null, all together: there is no access file,
// and the routes answer 409.
struct SessionDoor {
    AccessStore* callers = nullptr;
    Sessions* sessions = nullptr;
    Logins* logins = nullptr;
};

// Returns the routes of /api/sessions. An operator sees and ends its own sessions, a caller with
// the scope admin those of everybody.
std::vector<http::Route> session_routes(const SessionDoor& door);
// Returns the same rows with empty handlers.
std::vector<http::Route> session_route_table();

}  // namespace trackops::access
