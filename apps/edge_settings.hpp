// The settings of the HTTP server that every service has.
#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "platform/config/settings.hpp"
#include "platform/http/edge_options.hpp"

namespace trackops::apps {

inline constexpr auto edge_settings = std::to_array<config::Setting>({
    {"public-host", config::Kind::text, "",
     "Host names by which clients call the service, comma separated. localhost and IP addresses "
     "need not be named; a request with another Host is answered 421."},
    {"http-connections", config::Kind::integer, "4096",
     "Open connections; a further one is answered 503.", 1, 1'000'000},
    {"http-connections-per-address", config::Kind::integer, "1024",
     "Open connections of one client address, except loopback.", 1, 1'000'000},
    {"http-idle-timeout", config::Kind::duration, "90s",
     "A connection without a request for that long is closed. Keep it longer than a proxy in front "
     "keeps its connections.",
     1, 24L * 3600 * 1000},
});

// Returns the fault of these settings that the table cannot express; "" for none.
std::string fault_of_edge(const config::Values& values);

// Returns a sentence if the process may open fewer files than its servers' connections and its
// other links need; "" if the limit suffices.
std::string open_files_warning(const config::Values& values, std::uint64_t open_files_max);

// Requires that fault_of_edge() found none.
http::EdgeOptions edge_options(const config::Values& values);

}  // namespace trackops::apps
