// The settings of a service's HTTP server.
#pragma once
#include <string>
#include <vector>

namespace trackops::http {

struct EdgeOptions {
    // The host names by which clients may call the service, in lower case, beside every IP address
    // and localhost (check_origin() in origin.hpp).
    std::vector<std::string> public_hosts = {};
};

}  // namespace trackops::http
