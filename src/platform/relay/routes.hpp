// The relay's HTTP API: GET /api/relay/status, /api/relay/events, POST
// /api/relay/events/{id}/retry, /api/relay/pause, /api/relay/resume.
#pragma once
#include <vector>

#include "platform/http/router.hpp"

namespace trackops::relay {

class Relay;

// The event relay service serves these routes for `trackops`, the inventory service for its own
// outbox. The relay outlives the routes.
std::vector<http::Route> relay_routes(Relay& relay);
// Returns the same rows with empty handlers.
std::vector<http::Route> relay_route_table();

}  // namespace trackops::relay
