// The TLS of one connection of the server: the session, its budget, its handshake.
#pragma once
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "platform/http/server.hpp"
#include "platform/runtime/budget.hpp"
#include "platform/tls/session.hpp"

namespace trackops::http {

// Makes no session before the client has sent something, so that a client that sends nothing costs
// no more than without TLS. Not thread-safe.
class TlsLink {
public:
    using Time = std::chrono::steady_clock::time_point;
    enum class Outcome : std::uint8_t {
        goes_on,     // text() has what the client has said, perhaps nothing
        ended,       // the same, and the client says no more
        failed,      // take_output() may have an alert
        too_large,   // the handshake had more bytes than it may
        no_memory,   // the memory budget is spent
        plain_http,  // the client speaks no TLS
    };
    TlsLink(std::shared_ptr<const tls::Context> context, const ServerOptions& options, Time now);

    Outcome receive(std::string_view bytes);
    std::string_view text() const { return text_; }

    bool is_open() const { return session_ && session_->is_open(); }
    bool has_expired(Time now) const { return !is_open() && now >= handshake_until_; }
    // Turns `text` into output. Requires is_open().
    void send(std::string_view text) { session_->send(text); }
    void end() { session_->end(); }
    // Appends what is to be sent: records with text, or of a handshake.
    void take_output(std::string& out) {
        if (session_) session_->take_output(out);
    }
    // Returns the reason of Outcome::failed.
    std::string_view fault() const { return session_ ? session_->fault() : std::string_view(); }
    std::string& buffer() { return buffer_; }  // for text on its way to send()

    // The answer to a client that speaks plain HTTP.
    static std::string_view plain_answer();

private:
    const std::shared_ptr<const tls::Context> context_;
    const std::size_t handshake_bytes_max_;
    const Time handshake_until_;
    runtime::Share share_;
    std::size_t handshake_bytes_ = 0;
    std::string text_;
    std::string buffer_;
    std::unique_ptr<tls::Session> session_;
};

}  // namespace trackops::http
