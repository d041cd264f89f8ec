// A connected socket, with or without TLS, whose waits all end at one deadline.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct addrinfo;

namespace trackops::tls {
class Context;
class Session;
}  // namespace trackops::tls

namespace trackops::http_client {

// Used by one thread. Every function blocks, and throws std::runtime_error with the reason when it
// fails or the deadline passes.
class Connection {
public:
    // Resolves the name, which the deadline does not end, and connects. With a `context` the
    // handshake follows, with a server that must have the certificate of `host`.
    Connection(const std::string& host, std::uint16_t port,
               const std::shared_ptr<const tls::Context>& context,
               std::chrono::steady_clock::time_point deadline);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void send(std::string_view text);
    // Returns the next text; "" at the end of the stream. It is valid until the next call. With TLS
    // an end that the peer has not announced is a failure: somebody may have cut the answer.
    std::string_view receive();

private:
    int connect_to(const addrinfo& address);
    void close();
    void wait_for(short what) const;
    void send_bytes(std::string_view bytes);
    std::string_view receive_bytes();
    void send_records();
    void shake_hands();

    const std::chrono::steady_clock::time_point deadline_;
    int socket_ = -1;
    std::unique_ptr<tls::Session> session_;  // null: no TLS
    std::string text_;                       // that the session has returned
    char bytes_[8192];
};

}  // namespace trackops::http_client
