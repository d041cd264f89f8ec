// The routes by which a service describes itself: its contract, the contract as a page, and a page
// for each problem code.
#pragma once
#include <string_view>
#include <vector>

#include "platform/http/route.hpp"

namespace trackops::http {

// Made from the folder contracts/ by the build. Both texts live as long as the program.
struct Contract {
    std::string_view openapi;  // an OpenAPI 3.1 document in JSON
    std::string_view docs;     // the same as HTML without scripts
};

// Returns the routes GET /openapi.json, /v3/api-docs, /docs, /problems/{code} and /, which leads to
// /docs.
std::vector<Route> contract_routes(const Contract& contract);
// Returns their rows with empty handlers.
std::vector<Route> contract_route_table();

}  // namespace trackops::http
