// The access file: which keys and operators there are, and what each may do. This is its content
// and its text; access_store.hpp reads it while a service runs.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "base/result.hpp"
#include "platform/access/digest.hpp"
#include "platform/access/provider.hpp"
#include "platform/access/roles.hpp"
#include "platform/http/principal.hpp"

namespace trackops::access {

inline constexpr std::size_t access_file_bytes_max = std::size_t{1} << 20;
inline constexpr std::size_t keys_max = 2000;
inline constexpr std::size_t operators_max = 500;
inline constexpr std::size_t name_bytes_max = 64;

// The key of a program. Several may have one name, so that a new key and its predecessor are valid
// side by side; the name is the actor of what they do.
struct Key {
    std::string name;
    std::string id;  // unique
    Digest digest;   // of the secret
    http::Scopes scopes{};
    Instant not_before = {};  // valid from then on
    Instant not_after = {};   // not valid from then on
    bool operator==(const Key&) const = default;
};

struct Operator {
    std::string name;           // unique
    std::string password_hash;  // is_password_hash()
    Role role = Role::viewer;
    bool operator==(const Operator&) const = default;
};

struct AccessFile {
    std::vector<Key> keys;
    std::vector<Operator> operators;
    std::vector<Provider> providers = {};
    bool operator==(const AccessFile&) const = default;
};

// Letters, digits, '.', '_', '@' and '-', of which the first is a letter or a digit; at most
// name_bytes_max.
bool is_name(std::string_view text);

// Parses the text of the file. Returns Errc::malformed or Errc::invalid with every fault, at most
// json::faults_max: members that are missing, unknown or have the wrong form; a repeated id of a
// key, or name of an operator or a provider, or issuer; a key that ends before it begins. No fault
// shows a value.
Result<AccessFile> read_access_file(std::string_view text);

// Returns the text of the file, with a line for each key, operator and provider. read_access_file()
// reads it back.
std::string text_of(const AccessFile& file);

// Returns the faults of an error of read_access_file() as one line.
std::string faults_of(const Error& error);

}  // namespace trackops::access
