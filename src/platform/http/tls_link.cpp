#include "platform/http/tls_link.hpp"

#include <utility>

namespace trackops::http {
namespace {

// Of OpenSSL for a session, in its handshake and after it; measured 34 and 14 KiB.
constexpr std::size_t handshake_memory = 40UL * 1024;
constexpr std::size_t session_memory = 16UL * 1024;

constexpr unsigned char handshake_record = 22;  // the first byte of every client that speaks TLS

}  // namespace

TlsLink::TlsLink(std::shared_ptr<const tls::Context> context, const ServerOptions& options,
                 Time now)
    : context_(std::move(context)),
      handshake_bytes_max_(options.handshake_bytes_max),
      handshake_until_(now + options.handshake_timeout),
      share_(options.budget, runtime::Spending::handshakes) {}

TlsLink::Outcome TlsLink::receive(std::string_view bytes) {
    text_.clear();
    if (!session_) {
        if (static_cast<unsigned char>(bytes.front()) != handshake_record)
            return Outcome::plain_http;
        if (!share_.resize(handshake_memory)) return Outcome::no_memory;
        session_ = std::make_unique<tls::Session>(context_);
    }
    const bool was_open = is_open();
    if (!was_open) {
        handshake_bytes_ += bytes.size();
        if (handshake_bytes_ > handshake_bytes_max_) return Outcome::too_large;
    }
    const auto state = session_->receive(bytes, text_);
    if (!was_open && is_open()) share_.resize_anyway(session_memory);
    if (state == tls::Session::State::failed) return Outcome::failed;
    return state == tls::Session::State::ended ? Outcome::ended : Outcome::goes_on;
}

std::string_view TlsLink::plain_answer() {
    return "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 42\r\n"
           "Connection: close\r\n\r\nThis port speaks HTTPS: call https://...\r\n";
}

}  // namespace trackops::http
