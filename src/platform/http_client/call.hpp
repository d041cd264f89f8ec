// One HTTP call over a connection of its own, for commands and pumps that may wait.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "platform/http/response_parser.hpp"

namespace trackops::tls {
class Context;
}

namespace trackops::http_client {

struct Server {
    bool has_tls = false;
    std::string host;
    std::uint16_t port = 80;
    std::string authority() const;  // HOST:PORT, with brackets around an IPv6 address
    std::string url() const;        // http://HOST:PORT
    // Whether the host is this machine by its name or its address; no resolver is asked.
    bool is_loopback() const;
    bool operator==(const Server&) const = default;
};

struct Target {
    Server server;
    std::string path;  // begins with /; "/" for a URL without one
};

// Parses http://HOST[:PORT][/PATH] or https://... `what` is the name of the URL in the error.
// Returns Errc::invalid for any other text; the error shows no password.
Result<Target> parse_target(std::string_view url, std::string_view what);
// The same for a URL without a path.
Result<Server> parse_server(std::string_view url, std::string_view what);

struct Call {
    std::string_view method = "GET";
    std::string path;
    // Besides Host, User-Agent, Connection and Content-Length. Without line breaks.
    std::vector<std::pair<std::string, Secret>> headers = {};
    Secret body = {};
    std::size_t header_bytes_max = std::size_t{16} * 1024;  // of the answer
    std::size_t body_bytes_max = std::size_t{64} * 1024;    // the same
};

using Answer = std::unique_ptr<http::ResponseParser>;  // complete
using TlsContext = std::shared_ptr<const tls::Context>;

// Returns what a client has to know of TLS: it trusts the authorities in the file (PEM), and with
// "" those of the system. Returns Errc::invalid with the reason if the file cannot be used.
Result<TlsContext> trusting(const std::string& ca_file);

// Sends the call and returns its answer, whatever its status; redirects are not followed. Blocks
// until `deadline` at most; only the look-up of the host's name may take longer. `context` is
// required for a server with TLS, whose chain and name are checked as it says. Returns
// Errc::unavailable with the reason if no whole answer came, and Errc::too_large or
// Errc::malformed for an answer beyond the limits or of another protocol. Does not throw.
Result<Answer> call(const Server& server, const TlsContext& context, const Call& call,
                    std::chrono::steady_clock::time_point deadline);

}  // namespace trackops::http_client
