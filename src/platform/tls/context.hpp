// The versions, cipher suites, certificates and authorities that the TLS sessions of one side
// share.
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/instant.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

struct ssl_ctx_st;  // NOLINT(readability-identifier-naming): OpenSSL names it

namespace trackops::tls {

// Immutable, so any number of threads may make sessions of it.
class Context {
public:
    // Takes the ownership. expires_at: the end of the own certificate; zero without one.
    Context(ssl_ctx_st* context, Instant expires_at) : context_(context), expires_at_(expires_at) {}
    ~Context();
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    ssl_ctx_st* get() const { return context_; }
    Instant expires_at() const { return expires_at_; }

private:
    ssl_ctx_st* const context_;
    const Instant expires_at_;
};

// Texts in PEM.
struct Credentials {
    std::string certificates;  // the own one first, then those between it and the root
    Secret key;                // of the first certificate; not encrypted
};

// Returns the context of a server: TLS 1.2 and 1.3, forward secrecy and authenticated encryption
// only, no compression, no renegotiation, the protocol http/1.1. With `client_ca` (PEM) a client
// must show a certificate that one of these signed. Returns Errc::invalid with the reason, which
// shows no key.
Result<std::shared_ptr<const Context>> make_server_context(const Credentials& own,
                                                           std::string_view client_ca = {});

// Returns the context of a client that checks chain, name and time of the server's certificate.
// `ca` (PEM) are the only ones that it trusts; with "" it trusts those of the system. `own` is
// shown to a server that asks for a certificate; it may be empty. Errors as above.
Result<std::shared_ptr<const Context>> make_client_context(std::string_view ca,
                                                           const Credentials& own = {});

// Returns the context of a client that takes every certificate. It is for a question to the own
// machine whose answer is no secret.
std::shared_ptr<const Context> make_unverified_client_context(const Credentials& own = {});

// Reads a file of certificates or a key. Returns Errc::unavailable with the path and the reason if
// it cannot be read, and Errc::too_large if it has more than 256 KiB.
Result<std::string> read_pem_file(const std::string& path);

}  // namespace trackops::tls
