// Keeps web pages out: which hosts a request may name, and which pages may change anything. Pure.
// docs/decisions/0017-requests-of-web-pages.md has the reasons.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "platform/http/message.hpp"

namespace trackops::http {

// Parses a list of host names: "shop.example, order-service". The names are returned in lower case.
// Returns Errc::invalid, naming the fault, if an entry is no host name or has a port.
Result<std::vector<std::string>> parse_host_names(std::string_view list);

// Checks that a browser was not led here by another site. `public_hosts` are in lower case.
// - Errc::malformed: Host is not HOST or HOST:PORT.
// - Errc::misdirected: the host is no IP address, not localhost or below it, and not among
//   `public_hosts`. The port may be any port. A request without a host (HTTP/1.0) may pass.
// - Errc::forbidden: the method is not GET, HEAD or OPTIONS, and the request comes from a page of
//   another origin: Origin has another host or port, or Sec-Fetch-Site is cross-site or same-site.
// `cors_origins` are origins whose pages may.
Result<void> check_origin(const Request& request, std::span<const std::string> public_hosts,
                          std::span<const std::string> cors_origins = {});

// Checks the requests of one connection. Remembers the Host that passed last, because the requests
// of a connection usually name one. Not thread-safe.
class OriginCheck {
public:
    // Both outlive this object.
    OriginCheck(std::span<const std::string> public_hosts,
                std::span<const std::string> cors_origins)
        : public_hosts_(public_hosts), cors_origins_(cors_origins) {}
    // Returns what check_origin() returns.
    Result<void> check(const Request& request);

private:
    std::span<const std::string> public_hosts_;
    std::span<const std::string> cors_origins_;
    std::string passed_;  // a Host, as it was sent; "" before the first one
};

}  // namespace trackops::http
