// The way of an encoded batch to a collector.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/instant.hpp"
#include "base/secret.hpp"

namespace trackops::otlp {

struct PostResult {
    int status = 0;                           // 0: no answer
    Duration retry_after = Duration::zero();  // of the header Retry-After in seconds; zero without
    std::string body = {};
    std::string error = {};  // the reason of status 0
};
// Blocks until there is an answer, `within` at most. Does not throw.
using Post = std::function<PostResult(const std::string& body, Duration within)>;

struct Header {
    std::string name;
    Secret value;
};

struct Endpoint {
    std::string host;
    std::uint16_t port = 80;
    std::string path = "/";
};

// Returns the endpoint of http://HOST[:PORT][/PATH]. With `append` set, that is added to the path,
// as OTEL_EXPORTER_OTLP_ENDPOINT asks (v1/traces). Throws std::invalid_argument with a text for a
// person for any other URL; https is refused with the way out.
Endpoint parse_endpoint(std::string_view url, std::string_view append = {});

// Parses OTEL_EXPORTER_OTLP_HEADERS, or OTEL_RESOURCE_ATTRIBUTES: name=value,name=value with
// percent-encoded values. Throws std::invalid_argument, which shows no value, if the text has
// another form.
std::vector<Header> parse_headers(std::string_view text);

// Returns a Post that sends each batch as application/json over a connection of its own. Only the
// look-up of the host's name may take longer than it is told.
Post make_http_post(Endpoint endpoint, std::vector<Header> headers);

}  // namespace trackops::otlp
