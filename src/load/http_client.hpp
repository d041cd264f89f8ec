// The port of the load player to HTTP and time. Everything runs on one thread.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/instant.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "platform/access/client_session.hpp"

namespace trackops::load {

enum class Target : std::uint8_t { order, inventory };

struct Request {
    Target target = Target::order;
    std::string method = "GET";
    std::string path;
    std::string body = {};
    std::string content_type = "application/json";
    // Empty: the request carries no Idempotency-Key.
    std::string idempotency_key = {};
};

struct Response {
    int status = 0;
    std::string body;
    // The delay of the Retry-After header; zero without one.
    Duration retry_after{};
    // Whether the response carries `Idempotency-Replayed: true`.
    bool is_replayed = false;
};

class HttpClient {
public:
    using Done = std::move_only_function<void(Result<Response>)>;
    virtual ~HttpClient() = default;
    // Sends `call` and returns at once. run() calls `done` exactly once. The error
    // Errc::unavailable means that no response arrived; the server may or may not have handled the
    // call.
    virtual void send(Request call, Done done) = 0;
    virtual void after(Duration pause, std::move_only_function<void()> then) = 0;
    // The time since this client was made. It never decreases.
    virtual Duration elapsed() const = 0;
    // Runs until stop() is called or no work is left.
    virtual void run() = 0;
    virtual void stop() = 0;
};

struct ClientOptions {
    std::string order_url;
    std::string inventory_url;
    Secret key = {};           // sent as a Bearer token, unless it is empty
    std::string ca_file = {};  // the CAs of https URLs; "": those of the system
    // Without a key its cookie is sent to those of the URLs that it is for.
    std::optional<access::ClientSession> session = {};
};

// Makes a client with keep-alive connections to URLs of the form http://host:port or
// https://host:port, one connection for each concurrent call. With https the chain and the name of
// the certificate are checked. Returns Errc::invalid for any other URL, for a key with other
// characters than visible ASCII, and for a ca_file that cannot be used.
Result<std::unique_ptr<HttpClient>> make_http_client(const ClientOptions& options);

}  // namespace trackops::load
