// The passwords of operators: argon2id with 19 MiB and two passes, as OWASP advises for servers.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "base/secret.hpp"

namespace trackops::access {

inline constexpr std::size_t password_bytes_min = 12;
inline constexpr std::size_t password_bytes_max = 1024;
inline constexpr std::size_t password_memory_bytes = std::size_t{19} * 1024 * 1024;

// Returns the text that the access file keeps of a password: $argon2id$v=19$m=19456,t=2,p=1$...
// Takes password_memory_bytes and tens of milliseconds. Throws std::runtime_error without memory.
std::string hash_password(const Secret& password);
// Whether `text` has the form and the costs of hash_password(). Others are refused, so that no file
// decides what a login costs.
bool is_password_hash(const std::string& text);
// Takes as long as hash_password(). Requires is_password_hash(hash).
bool is_password(const Secret& password, const std::string& hash);
// Returns the calls of is_password() on this thread, for tests: time proves nothing.
std::size_t checked_passwords();

}  // namespace trackops::access
