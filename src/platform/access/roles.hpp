// The roles of operators, and the scopes of each.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/http/principal.hpp"

namespace trackops::access {

enum class Role : std::uint8_t {
    viewer,     // sees orders, stock and the relay
    clerk,      // and changes orders and stock
    operator_,  // and pauses, retries and measures
    admin,      // and everything else
};
inline constexpr std::size_t role_count = static_cast<std::size_t>(Role::admin) + 1;

std::string_view name_of(Role role);
std::optional<Role> role_named(std::string_view name);
http::Scopes scopes_of(Role role);

// Returns the names of the scopes of a set, in the order of the enumeration, without everybody and
// authenticated.
std::vector<std::string_view> names_of(http::Scopes scopes);
// Returns "orders:read, orders:write, ...": every scope that can be given.
std::string all_scope_names();
std::string all_role_names();

}  // namespace trackops::access
