// Certificates for tests: an authority that signs what a test asks for.
#pragma once
#include <chrono>
#include <memory>
#include <string>

struct evp_pkey_st;  // NOLINT(readability-identifier-naming): OpenSSL names them
struct x509_st;      // NOLINT(readability-identifier-naming)

namespace trackops::testing {

struct Issued {  // in PEM
    std::string certificate;
    std::string key;
};

class Authority {
public:
    explicit Authority(const std::string& name);
    ~Authority();
    Authority(const Authority&) = delete;
    Authority& operator=(const Authority&) = delete;

    const std::string& certificate() const { return pem_; }
    // Issues a certificate for a host: a name, or an IP address. It ends `ends_in` from now.
    Issued issue(const std::string& host,
                 std::chrono::seconds ends_in = std::chrono::hours(24)) const;

private:
    struct Free {
        void operator()(evp_pkey_st* key) const;
        void operator()(x509_st* certificate) const;
    };
    std::unique_ptr<evp_pkey_st, Free> key_;
    std::unique_ptr<x509_st, Free> certificate_;
    std::string pem_;
};

}  // namespace trackops::testing
