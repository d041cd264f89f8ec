// One TLS session without a socket: bytes of the peer in, text out, and the other way round.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "platform/tls/context.hpp"

struct ssl_st;  // NOLINT(readability-identifier-naming): OpenSSL names it

namespace trackops::tls {

// Not thread-safe.
class Session {
public:
    enum class State : std::uint8_t {
        handshake,  // no text may be sent yet
        open,
        ended,   // the peer sends no more
        failed,  // fault() says why; take_output() may have an alert for the peer
    };
    // Begins a session of the server's side.
    explicit Session(std::shared_ptr<const Context> context);
    // Begins a session with the server `host`, a name or an IP address, which its certificate must
    // have. take_output() has the first bytes at once.
    Session(std::shared_ptr<const Context> context, const std::string& host);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // Takes bytes of the peer, and appends their text to `text`.
    State receive(std::string_view bytes, std::string& text);
    // Turns text into output. Requires State::open, or State::ended.
    void send(std::string_view text);
    // Tells the peer that no more text comes. Idempotent.
    void end();
    // Appends the bytes for the peer that have not been taken.
    void take_output(std::string& out);

    State state() const { return state_; }
    bool is_open() const { return state_ == State::open || state_ == State::ended; }
    const std::string& fault() const { return fault_; }

private:
    struct Pipe;  // between OpenSSL and the caller
    struct Free {
        void operator()(ssl_st* session) const;
    };
    void advance(std::string& text);
    void fail_with(int result);

    const std::shared_ptr<const Context> context_;
    const std::unique_ptr<Pipe> pipe_;
    const std::unique_ptr<ssl_st, Free> session_;
    State state_ = State::handshake;
    std::string fault_;
};

}  // namespace trackops::tls
