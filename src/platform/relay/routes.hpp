// The relay's API: GET /api/relay/status, /api/relay/events, POST /api/relay/events/{id}/retry,
// /api/relay/pause, /api/relay/resume.
#pragma once
#include <vector>

#include "platform/http/router.hpp"

namespace trackops::relay {

class Relay;

// Used by the relay service for `trackops`, and by the inventory service for its own outbox. relay
// outlives the routes.
std::vector<http::Route> relay_routes(Relay& relay);

}  // namespace trackops::relay
