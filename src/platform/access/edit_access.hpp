// The changes that `trackops access` makes to the access file.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "base/instant.hpp"
#include "base/result.hpp"
#include "platform/access/access_file.hpp"
#include "platform/access/key_text.hpp"

namespace trackops::access {

struct Lifetime {
    Instant from;
    Instant until;  // later than `from`
};

// Adds a key, beside those that have the name already. Returns Errc::invalid if `name` is not
// is_name() or `scopes` is empty, Errc::conflict if the file is full.
Result<NewKey> add_key(AccessFile& file, const std::string& name, http::Scopes scopes,
                       const Lifetime& lifetime);

// Adds a key with the name and the scopes of a present one. The present ones end at `old_until`
// unless they end sooner; those that have ended at lifetime.from are removed. Returns
// Errc::not_found if no key of the name is valid at lifetime.from, Errc::conflict if valid ones
// have different scopes or the file is full.
Result<NewKey> rotate_key(AccessFile& file, const std::string& name, const Lifetime& lifetime,
                          Instant old_until);

// Adds an operator. One of the same name is replaced if `replaces`, otherwise it is Errc::conflict.
// Returns Errc::invalid if the name is not is_name(), Errc::conflict if the file is full.
Result<void> add_operator(AccessFile& file, Operator added, bool replaces);

// Remove what has the name or the id, and return how many there were.
std::size_t revoke_keys(AccessFile& file, std::string_view name);
std::size_t revoke_key(AccessFile& file, std::string_view id);
std::size_t revoke_operator(AccessFile& file, std::string_view name);

// Parses "orders:read,orders:write", with or without spaces. Returns Errc::invalid for an unknown
// or a missing scope.
Result<http::Scopes> parse_scopes(std::string_view list);

}  // namespace trackops::access
