#include "platform/tls/session.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <climits>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "platform/tls/openssl_fault.hpp"

namespace trackops::tls {

struct Session::Pipe {
    std::string_view input;
    std::string output;
};

namespace {

constexpr std::size_t record_bytes = 16UL * 1024;

// OpenSSL's own memory BIO would keep a buffer of the largest answer for each connection.
template <class Pipe>
const BIO_METHOD* pipe_method() {
    static const BIO_METHOD* const method = [] {
        BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pipe");
        if (made == nullptr) throw std::bad_alloc();
        BIO_meth_set_write_ex(
            made, [](BIO* bio, const char* bytes, std::size_t size, std::size_t* written) {
                static_cast<Pipe*>(BIO_get_data(bio))->output.append(bytes, size);
                *written = size;
                return 1;
            });
        BIO_meth_set_read_ex(made, [](BIO* bio, char* bytes, std::size_t size, std::size_t* count) {
            std::string_view& input = static_cast<Pipe*>(BIO_get_data(bio))->input;
            BIO_clear_retry_flags(bio);
            *count = std::min(size, input.size());
            if (*count == 0) {
                BIO_set_retry_read(bio);
                return 0;
            }
            std::memcpy(bytes, input.data(), *count);
            input.remove_prefix(*count);
            return 1;
        });
        BIO_meth_set_ctrl(made, [](BIO*, int command, long, void*) -> long {
            return command == BIO_CTRL_FLUSH ? 1 : 0;
        });
        return made;
    }();
    return method;
}

SSL* new_session(const Context& context, auto& pipe) {
    SSL* const session = SSL_new(context.get());
    BIO* const bio = BIO_new(pipe_method<std::remove_reference_t<decltype(pipe)>>());
    if (session == nullptr || bio == nullptr) {
        SSL_free(session);
        BIO_free(bio);
        throw std::bad_alloc();
    }
    BIO_set_data(bio, &pipe);
    BIO_set_init(bio, 1);
    SSL_set_bio(session, bio, bio);  // the session owns it now
    return session;
}

bool is_ip(const std::string& host) {
    std::array<unsigned char, 16> bytes{};
    return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

void expect_host(SSL& session, const std::string& host) {
    const bool is_set =
        is_ip(host) ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(&session), host.c_str()) == 1
                    : SSL_set1_host(&session, host.c_str()) == 1 &&
                          SSL_set_tlsext_host_name(&session, host.c_str()) == 1;
    if (!is_set) throw std::invalid_argument("TLS: no server has the name '" + host + "'");
}

}  // namespace

void Session::Free::operator()(ssl_st* session) const { SSL_free(session); }

Session::Session(std::shared_ptr<const Context> context)
    : context_(std::move(context)),
      pipe_(std::make_unique<Pipe>()),
      session_(new_session(*context_, *pipe_)) {
    SSL_set_accept_state(session_.get());
}

Session::Session(std::shared_ptr<const Context> context, const std::string& host)
    : context_(std::move(context)),
      pipe_(std::make_unique<Pipe>()),
      session_(new_session(*context_, *pipe_)) {
    SSL_set_connect_state(session_.get());
    if (SSL_get_verify_mode(session_.get()) != SSL_VERIFY_NONE) expect_host(*session_, host);
    std::string none;
    advance(none);
}

Session::~Session() = default;

Session::State Session::receive(std::string_view bytes, std::string& text) {
    if (state_ == State::ended || state_ == State::failed) return state_;
    pipe_->input = bytes;
    advance(text);
    pipe_->input = {};
    return state_;
}

void Session::advance(std::string& text) {
    if (state_ == State::handshake) {
        ERR_clear_error();
        const int result = SSL_do_handshake(session_.get());
        if (result != 1) return fail_with(result);
        state_ = State::open;
    }
    std::array<char, record_bytes> piece;
    for (;;) {
        ERR_clear_error();
        std::size_t count = 0;
        const int result = SSL_read_ex(session_.get(), piece.data(), piece.size(), &count);
        if (result != 1) return fail_with(result);
        text.append(piece.data(), count);
    }
}

// Not every result is a failure: more bytes of the peer may be needed.
void Session::fail_with(int result) {
    const int error = SSL_get_error(session_.get(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
    if (error == SSL_ERROR_ZERO_RETURN && state_ == State::open) {
        state_ = State::ended;
        return;
    }
    const long verified = SSL_get_verify_result(session_.get());
    fault_ = take_openssl_fault();
    if (verified != X509_V_OK && SSL_get_verify_mode(session_.get()) != SSL_VERIFY_NONE)
        fault_ += std::string(": ") + X509_verify_cert_error_string(verified);
    state_ = State::failed;
}

void Session::send(std::string_view text) {
    while (!text.empty() && is_open()) {
        ERR_clear_error();
        std::size_t count = 0;
        const int result = SSL_write_ex(session_.get(), text.data(), text.size(), &count);
        if (result != 1) return fail_with(result);
        text.remove_prefix(count);
    }
}

void Session::end() {
    ERR_clear_error();
    if (is_open()) (void)SSL_shutdown(session_.get());
    ERR_clear_error();
}

void Session::take_output(std::string& out) {
    if (out.empty()) {
        out.swap(pipe_->output);
    } else {
        out += pipe_->output;
    }
    std::string().swap(pipe_->output);
}

}  // namespace trackops::tls
