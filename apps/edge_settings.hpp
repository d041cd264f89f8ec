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
    {"trusted-proxy", config::Kind::text, "",
     "Addresses and networks of proxies, comma separated, whose X-Forwarded-For, X-Forwarded-Host "
     "and Forwarded are believed: 10.0.0.0/8."},
    {"cors-origin", config::Kind::text, "",
     "Origins whose pages may call the API from a browser, comma separated: "
     "https://console.example."},
    {"rate-limit", config::Kind::integer, "2000",
     "Requests a second of one key, and those of 10 s at once; a further one is answered 429. 0: "
     "no limit. The default holds with an access file only.",
     0, 1'000'000},
    {"rate-limit-strangers", config::Kind::integer, "20",
     "The same for the requests of one address, except loopback, that come without a valid key.", 0,
     1'000'000},
    {"http-connections", config::Kind::integer, "4096",
     "Open connections; a further one is answered 503.", 1, 1'000'000},
    {"http-connections-per-address", config::Kind::integer, "1024",
     "Open connections of one client address, except loopback.", 1, 1'000'000},
    {"http-idle-timeout", config::Kind::duration, "90s",
     "A connection without a request for that long is closed. Keep it longer than a proxy in front "
     "keeps its connections.",
     1, 24L * 3600 * 1000},
    {"http-deadline", config::Kind::duration, "10s",
     "A request without an answer after that long is answered 503. Bulk requests have no deadline.",
     1000, 600L * 1000},
    {"http-query-workers", config::Kind::integer, "4",
     "Threads for lists and other queries. All of the service shares 8 database connections.", 1,
     64},
    {"http-bulk-workers", config::Kind::integer, "2",
     "Threads for bulk requests. A request holds one only while it has lines to carry out.", 1, 64},
    {"http-bulk-requests", config::Kind::integer, "64",
     "Bulk requests under way; a further one is answered 503. One client address, except loopback, "
     "may have half of them.",
     1, 10'000},
    {"http-pipelined", config::Kind::integer, "64",
     "Unanswered requests of one connection; further ones wait unread.", 1, 1024},
    {"http-unsent-answers", config::Kind::integer, "64",
     "KiB of answers that may wait for the client of one connection; then its further requests "
     "wait unread.",
     1, 64 * 1024},
    {"http-upload-rate-min", config::Kind::integer, "1024",
     "Bytes a second that must arrive of a body, over 15 s; a slower one is answered 408.", 1,
     1'000'000},
});

// Returns the fault of these settings that the table cannot express; "" for none.
std::string fault_of_edge(const config::Values& values);

// Returns a sentence if the process may open fewer files than its servers' connections and its
// other links need; "" if the limit suffices.
std::string open_files_warning(const config::Values& values, std::uint64_t open_files_max);

// Requires that fault_of_edge() found none.
http::EdgeOptions edge_options(const config::Values& values);

}  // namespace trackops::apps
