// The settings of the HTTP server that every service has.
#pragma once
#include <array>
#include <string>

#include "platform/config/settings.hpp"
#include "platform/http/edge_options.hpp"

namespace trackops::apps {

inline constexpr auto edge_settings = std::to_array<config::Setting>({
    {"public-host", config::Kind::text, "",
     "Host names by which clients call the service, comma separated. localhost and IP addresses "
     "need not be named; a request with another Host is answered 421."},
});

// Returns the fault of these settings that the table cannot express; "" for none.
std::string fault_of_edge(const config::Values& values);

// Requires that fault_of_edge() found none.
http::EdgeOptions edge_options(const config::Values& values);

}  // namespace trackops::apps
