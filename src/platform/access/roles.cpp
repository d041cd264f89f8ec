#include "platform/access/roles.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace trackops::access {
namespace {

using http::Scope;
using http::Scopes;

struct RoleRow {
    Role role;
    std::string_view name;
    Scopes scopes;
};
constexpr auto roles = std::to_array<RoleRow>({
    {Role::viewer, "viewer", {Scope::orders_read, Scope::inventory_read, Scope::relay_read}},
    {Role::clerk,
     "clerk",
     {Scope::orders_read, Scope::inventory_read, Scope::relay_read, Scope::orders_write,
      Scope::inventory_write}},
    {Role::operator_,
     "operator",
     {Scope::orders_read, Scope::inventory_read, Scope::relay_read, Scope::orders_write,
      Scope::inventory_write, Scope::operate, Scope::audit_read, Scope::metrics_read}},
    {Role::admin, "admin", Scopes::all()},
});

// Each role has all scopes of the one before it and more, and the last one has all.
constexpr bool is_complete() {
    if (roles.size() != role_count) return false;
    for (std::size_t i = 0; i < roles.size(); ++i) {
        if (static_cast<std::size_t>(roles[i].role) != i) return false;
        if (i > 0 && (!roles[i].scopes.contains(roles[i - 1].scopes) ||
                      roles[i - 1].scopes.contains(roles[i].scopes)))
            return false;
    }
    return roles.back().scopes.contains(Scopes::all());
}
static_assert(is_complete());

const RoleRow& row_of(Role role) { return roles.at(static_cast<std::size_t>(role)); }

}  // namespace

std::string_view name_of(Role role) { return row_of(role).name; }

std::optional<Role> role_named(std::string_view name) {
    const auto* const found = std::ranges::find(roles, name, &RoleRow::name);
    if (found == roles.end()) return std::nullopt;
    return found->role;
}

http::Scopes scopes_of(Role role) { return row_of(role).scopes; }

std::vector<std::string_view> names_of(http::Scopes scopes) {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < http::scope_count; ++i) {
        const auto scope = static_cast<Scope>(i);
        if (scope != Scope::everybody && scope != Scope::authenticated && scopes.contains(scope))
            names.push_back(http::name_of(scope));
    }
    return names;
}

std::string all_scope_names() {
    return fmt::format("{}", fmt::join(names_of(Scopes::all()), ", "));
}

std::string all_role_names() {
    std::string names;
    for (const RoleRow& row : roles)
        names += fmt::format("{}{}", names.empty() ? "" : ", ", row.name);
    return names;
}

}  // namespace trackops::access
