#include "platform/tls/context.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "platform/tls/openssl_fault.hpp"

namespace trackops::tls {
namespace {

constexpr std::size_t pem_bytes_max = 256UL * 1024;
constexpr long peer_chain_bytes_max = 32L * 1024;  // of the certificates that a peer shows

constexpr auto ciphers_of_tls12 = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr auto groups = "X25519:P-256:P-384";
constexpr std::string_view http11 = "\x08http/1.1";  // as ALPN has it: a length and a name

struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Owned<BIO> reader_of(std::string_view text) {
    Owned<BIO> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    if (!bio) throw std::bad_alloc();
    return bio;
}

// An encrypted key has no way to ask for its password here.
int refuse_password(char*, int, int, void*) { return -1; }

Result<std::vector<Owned<X509>>> certificates_of(std::string_view text) {
    const auto bio = reader_of(text);
    std::vector<Owned<X509>> all;
    for (;;) {
        Owned<X509> one(PEM_read_bio_X509(bio.get(), nullptr, refuse_password, nullptr));
        if (!one) break;
        all.push_back(std::move(one));
    }
    const unsigned long end = ERR_peek_last_error();
    ERR_clear_error();
    const bool is_whole =
        ERR_GET_LIB(end) == ERR_LIB_PEM && ERR_GET_REASON(end) == PEM_R_NO_START_LINE;
    if (all.empty() || !is_whole)
        return fail(Errc::invalid, all.empty() ? "there is no certificate in PEM"
                                               : "a certificate cannot be read");
    return all;
}

Instant end_of(const X509& certificate) {
    std::tm time{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &time) != 1) return {};
    return Instant{static_cast<std::int64_t>(::timegm(&time)) * 1'000'000};
}

Owned<SSL_CTX> new_context(const SSL_METHOD* method) {
    Owned<SSL_CTX> context(SSL_CTX_new(method));
    if (!context) throw std::bad_alloc();
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE |
                                           SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);  // idle sessions are many
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_security_level(context.get(), 2);  // keys of 112 bits of security and more
    SSL_CTX_set_max_cert_list(context.get(), peer_chain_bytes_max);
    if (SSL_CTX_set_cipher_list(context.get(), ciphers_of_tls12) != 1 ||
        SSL_CTX_set1_groups_list(context.get(), groups) != 1)
        throw std::logic_error("OpenSSL does not know our cipher suites: " + take_openssl_fault());
    return context;
}

Result<Instant> set_own(SSL_CTX& context, const Credentials& own) {
    auto chain = certificates_of(own.certificates);
    if (!chain) return fail(Errc::invalid, "the certificate: " + chain.error().detail);
    const auto bio = reader_of(own.key.reveal());
    const Owned<EVP_PKEY> key(
        PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_password, nullptr));
    if (!key) {
        ERR_clear_error();
        return fail(Errc::invalid, "the key: there is no private key in PEM that is not encrypted");
    }
    if (SSL_CTX_use_certificate(&context, chain->front().get()) != 1)
        return fail(Errc::invalid, "the certificate: " + take_openssl_fault());
    if (SSL_CTX_use_PrivateKey(&context, key.get()) != 1 ||
        SSL_CTX_check_private_key(&context) != 1)
        return fail(Errc::invalid,
                    "the key does not belong to the certificate: " + take_openssl_fault());
    const Instant end = end_of(*chain->front());
    for (auto one = chain->begin() + 1; one != chain->end(); ++one) {
        if (SSL_CTX_add1_chain_cert(&context, one->get()) != 1)
            return fail(Errc::invalid, "the certificate: " + take_openssl_fault());
    }
    return end;
}

Result<void> set_trusted(SSL_CTX& context, std::string_view ca) {
    auto trusted = certificates_of(ca);
    if (!trusted) return fail(Errc::invalid, "the CA: " + trusted.error().detail);
    X509_STORE* const store = SSL_CTX_get_cert_store(&context);
    for (const auto& one : *trusted) {
        if (X509_STORE_add_cert(store, one.get()) != 1)
            return fail(Errc::invalid, "the CA: " + take_openssl_fault());
    }
    return {};
}

// A client that offers protocols, and not ours, is refused.
int choose_http11(SSL*, const unsigned char** chosen, unsigned char* size,
                  const unsigned char* offered, unsigned offered_size, void*) {
    unsigned char* found = nullptr;
    const auto* const ours = reinterpret_cast<const unsigned char*>(http11.data());
    if (SSL_select_next_proto(&found, size, ours, http11.size(), offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

// Every connection has to show a certificate: that of a resumed session would not be checked
// again.
Result<void> require_client_certificate(SSL_CTX& context, std::string_view client_ca) {
    TRY(set_trusted(context, client_ca));
    const auto authorities = TRY(certificates_of(client_ca));
    for (const auto& one : authorities) SSL_CTX_add_client_CA(&context, one.get());
    SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_options(&context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(&context, 0);
    return {};
}

Result<void> show_own(SSL_CTX& context, const Credentials& own) {
    if (own.certificates.empty() && own.key.empty()) return {};
    TRY(set_own(context, own));
    return {};
}

void offer_http11(SSL_CTX& context) {
    const auto* const offer = reinterpret_cast<const unsigned char*>(http11.data());
    if (SSL_CTX_set_alpn_protos(&context, offer, http11.size()) != 0) throw std::bad_alloc();
}

}  // namespace

Context::~Context() { SSL_CTX_free(context_); }

Result<std::shared_ptr<const Context>> make_server_context(const Credentials& own,
                                                           std::string_view client_ca) {
    auto context = new_context(TLS_server_method());
    SSL_CTX_set_num_tickets(context.get(), 1);
    SSL_CTX_set_alpn_select_cb(context.get(), choose_http11, nullptr);
    const Instant expires_at = TRY(set_own(*context, own));
    if (!client_ca.empty()) TRY(require_client_certificate(*context, client_ca));
    return std::make_shared<const Context>(context.release(), expires_at);
}

Result<std::shared_ptr<const Context>> make_client_context(std::string_view ca,
                                                           const Credentials& own) {
    auto context = new_context(TLS_client_method());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    offer_http11(*context);
    if (!ca.empty()) {
        TRY(set_trusted(*context, ca));
    } else if (SSL_CTX_set_default_verify_paths(context.get()) != 1) {
        return fail(Errc::invalid, "the CAs of the system: " + take_openssl_fault());
    }
    TRY(show_own(*context, own));
    return std::make_shared<const Context>(context.release(), Instant{});
}

std::shared_ptr<const Context> make_unverified_client_context(const Credentials& own) {
    auto context = new_context(TLS_client_method());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    offer_http11(*context);
    // Without a certificate the server says what is missing.
    [[maybe_unused]] const auto shown = show_own(*context, own);
    return std::make_shared<const Context>(context.release(), Instant{});
}

Result<std::string> read_pem_file(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return fail(Errc::unavailable, fmt::format("{}: {}", path, std::strerror(errno)));
    std::string text(pem_bytes_max + 1, '\0');
    std::size_t size = 0;
    ssize_t count = 1;
    while (count > 0 && size < text.size()) {
        count = ::read(file, text.data() + size, text.size() - size);
        if (count > 0) size += static_cast<std::size_t>(count);
    }
    const int error = errno;
    ::close(file);
    if (count < 0)
        return fail(Errc::unavailable, fmt::format("{}: {}", path, std::strerror(error)));
    if (size > pem_bytes_max)
        return fail(Errc::too_large, fmt::format("{}: more than 256 KiB", path));
    text.resize(size);
    return text;
}

}  // namespace trackops::tls
