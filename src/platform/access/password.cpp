#include "platform/access/password.hpp"

#include <array>
#include <stdexcept>

#include <sodium/crypto_pwhash.h>

#include "platform/access/sodium.hpp"

namespace trackops::access {
namespace {

constexpr unsigned long long passes = 2;
thread_local std::size_t checked = 0;

}  // namespace

std::string hash_password(const Secret& password) {
    start_sodium();
    std::array<char, crypto_pwhash_STRBYTES> text{};
    const std::string& shown = password.reveal();
    if (crypto_pwhash_str_alg(text.data(), shown.data(), shown.size(), passes,
                              password_memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0)
        throw std::runtime_error("there is no memory for the hash of a password");
    return text.data();
}

bool is_password_hash(const std::string& text) {
    start_sodium();
    return text.starts_with(crypto_pwhash_STRPREFIX) && text.size() < crypto_pwhash_STRBYTES &&
           crypto_pwhash_str_needs_rehash(text.c_str(), passes, password_memory_bytes) == 0;
}

bool is_password(const Secret& password, const std::string& hash) {
    start_sodium();
    ++checked;
    const std::string& shown = password.reveal();
    return crypto_pwhash_str_verify(hash.c_str(), shown.data(), shown.size()) == 0;
}

std::size_t checked_passwords() { return checked; }

}  // namespace trackops::access
