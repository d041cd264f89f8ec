#include "testing/certificates.hpp"

#include <atomic>
#include <stdexcept>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace trackops::testing {
namespace {

struct FreeBio {
    void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

void require(bool done, const char* what) {
    if (!done) throw std::runtime_error(std::string("a certificate for tests: ") + what);
}

std::string text_of(const Bio& bio) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &bytes);
    return {bytes, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
    const Bio bio(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_X509(bio.get(), certificate) == 1, "no text");
    return text_of(bio);
}

std::string pem_of(EVP_PKEY* key) {
    const Bio bio(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
            "no text");
    return text_of(bio);
}

void extend(X509& certificate, int extension, const std::string& value) {
    X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, nullptr, extension, value.c_str());
    require(made != nullptr, value.c_str());
    X509_add_ext(&certificate, made, -1);
    X509_EXTENSION_free(made);
}

X509* new_certificate(EVP_PKEY* key, const std::string& name, std::chrono::seconds ends_in) {
    static std::atomic<long> serial = 1;
    X509* const made = X509_new();
    X509_set_version(made, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made), -48L * 3600);
    X509_gmtime_adj(X509_getm_notAfter(made), static_cast<long>(ends_in.count()));
    X509_set_pubkey(made, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    return made;
}

bool is_ip(const std::string& host) {
    return host.find_first_not_of("0123456789.") == std::string::npos || host.contains(':');
}

}  // namespace

void Authority::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }
void Authority::Free::operator()(x509_st* certificate) const { X509_free(certificate); }

Authority::Authority(const std::string& name)
    : key_(EVP_EC_gen("P-256")),
      certificate_(new_certificate(key_.get(), name, std::chrono::hours(24 * 365))) {
    X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
    extend(*certificate_, NID_basic_constraints, "critical,CA:TRUE");
    extend(*certificate_, NID_key_usage, "critical,keyCertSign,cRLSign");
    require(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) != 0, "no signature");
    pem_ = pem_of(certificate_.get());
}

Authority::~Authority() = default;

Issued Authority::issue(const std::string& host, std::chrono::seconds ends_in) const {
    const std::unique_ptr<EVP_PKEY, Free> key(EVP_EC_gen("P-256"));
    const std::unique_ptr<X509, Free> made(new_certificate(key.get(), host, ends_in));
    X509_set_issuer_name(made.get(), X509_get_subject_name(certificate_.get()));
    extend(*made, NID_subject_alt_name, (is_ip(host) ? "IP:" : "DNS:") + host);
    extend(*made, NID_ext_key_usage, "serverAuth,clientAuth");
    require(X509_sign(made.get(), key_.get(), EVP_sha256()) != 0, "no signature");
    return {pem_of(made.get()), pem_of(key.get())};
}

}  // namespace trackops::testing
