// The port through which the player meets the world: HTTP calls and time, on one thread.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/instant.hpp"
#include "base/result.hpp"

namespace trackops::load {

enum class Target : std::uint8_t { order, inventory };

struct Request {
    Target target = Target::order;
    std::string method = "GET";
    std::string path;
    std::string body = {};
    std::string content_type = "application/json";
    std::string idempotency_key = {};  // "": none
};

struct Response {
    int status = 0;
    std::string body;
    Duration retry_after{};    // zero: the server did not say
    bool is_replayed = false;  // Idempotency-Replayed: true
};

class HttpClient {
public:
    using Done = std::move_only_function<void(Result<Response>)>;
    virtual ~HttpClient() = default;
    // done runs once, later, from run(). Errc::unavailable: no answer came; the call may or may not
    // have been handled.
    virtual void send(Request call, Done done) = 0;
    virtual void after(Duration pause, std::move_only_function<void()> then) = 0;
    virtual Duration elapsed() const = 0;  // since the wire was made; never steps back
    virtual void run() = 0;                // until stop() or nothing is left to happen
    virtual void stop() = 0;
};

// Keep-alive connections to http://host:port, as many as there are calls at once. Errc::invalid for
// a URL of another kind.
Result<std::unique_ptr<HttpClient>> make_http_client(const std::string& order_url,
                                                     const std::string& inventory_url);

}  // namespace trackops::load
