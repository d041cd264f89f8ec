// The settings of a service's HTTP server.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "base/instant.hpp"
#include "platform/http/client_address.hpp"
#include "platform/http/rate_limiter.hpp"

namespace trackops::tls {
class ServerIdentity;
}

namespace trackops::http {

class AuditSink;
class Identifier;

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
    // The threads of the work classes query and bulk.
    std::size_t query_workers = 4;
    std::size_t bulk_workers = 2;
    // Bulk requests under way; a further one is answered 503. They hold a thread only while there
    // is something to do. One client address, except loopback, may have half of them.
    std::size_t bulk_requests_max = 64;
    // The maximum number of unanswered requests of one connection. Beyond it the server stops
    // reading.
    std::size_t pipelined_max = 64;
    // The bytes of a connection's answers that wait until the client reads them. Beyond it the
    // server takes no further request of the connection.
    std::size_t unsent_bytes_max = 64 * 1024;
    // A body may take longer than the time for a header, as long as this arrives of it in each
    // ServerOptions::read_timeout, save while the server does not read. Answered 408 otherwise;
    // BodyStream::take() tells it of a streamed body.
    std::size_t upload_bytes_per_second_min = 1024;
    // From the last byte of a request to its answer. A handler that has not answered by then is
    // answered for: with Reply::known(), else 503 unavailable, or outcome-unknown for a method that
    // may have had its effect. A route that streams its body has no such limit: its client must
    // send and read, both at a minimum rate.
    Duration answer_timeout = std::chrono::seconds(10);
    // Names the caller of each request. It outlives the server. Null: every caller is `local`, who
    // may do everything.
    Identifier* identifier = nullptr;
    // The certificate that new connections are shown. It outlives the server. Null: plain HTTP.
    const tls::ServerIdentity* tls = nullptr;
    // The requests of a caller; a further one is answered 429, except liveness and readiness.
    RateLimits rate_limits = {};
    // The pages of these origins may send requests and read the answers (cors.hpp).
    std::vector<std::string> cors_origins = {};
    // The proxies in front that are believed (forwarded.hpp).
    std::vector<Network> trusted_proxies = {};
    // Hears of each answered request. It outlives the server. Null: nobody does.
    AuditSink* audit = nullptr;
};

}  // namespace trackops::http
