// The settings of a service's HTTP server.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "base/instant.hpp"

namespace trackops::http {

struct EdgeOptions {
    // The host names by which clients may call the service, in lower case, beside every IP address
    // and localhost (check_origin() in origin.hpp).
    std::vector<std::string> public_hosts = {};
    // A further connection is answered 503 and closed.
    std::size_t connections_max = 4096;
    // The same for the connections of one client address, except loopback; see ConnectionSlots.
    std::size_t connections_per_address_max = 1024;
    // Between requests; then the connection is closed. Longer than the usual proxies keep theirs,
    // or a proxy may send a request on a connection that has just been closed.
    Duration idle_timeout = std::chrono::seconds(90);
};

}  // namespace trackops::http
